"""One line for every slip, before any work starts, in about a second."""

import errno
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diffstn.cli.conf import composing, groups
from diffstn.cli.refusals import Outcome, keys, parse
from diffstn.cli.train import train_command
from diffstn.errors import UserError
from diffstn.words import closest

ROOT = Path(__file__).parents[2]
Train = Callable[..., int]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        # names
        ("epoch=3", "no setting 'epoch'; did you mean epochs?"),
        ("lr=0.1", "no setting 'lr'; did you mean optimizer.lr?"),
        ("optimizer.rl=0.1", "no setting 'optimizer.rl'; did you mean optimizer.lr?"),
        ("data.batchsize=3", "did you mean data.batch_size"),
        ("modle=stn", "no setting 'modle'; did you mean model?"),
        ("model=snt", "model=snt: no such choice; did you mean stn?"),
        ("data/distortion=ful", "did you mean full?"),
        ("experiment=paper/diff_in", "did you mean paper/diff_in_stn?"),
        ("zzz=1", "no setting 'zzz'; there are: "),
        ("logger=null", "logger=null: no such choice"),
        ("gradient_clip_val=1.0", "did you mean trainer.gradient_clip_val?"),
        ("deterministic=true", "did you mean trainer.deterministic?"),
        # what was called otherwise
        ("accelerator.precision=fp32", "did you mean trainer.precision?"),
        ("sampler.combine=mean", "did you mean model.combine?"),
        ("sampler.hypotheses=2", "it is model.hypotheses or task.hypotheses now"),
        ("evaluate.hypotheses=[1]", "did you mean task.hypotheses or model.hypotheses?"),
        ("model=ddpm_unet evaluate.samples=4", "did you mean task.samples?"),
        ("model=ddpm_unet model.timesteps=importance", "it is model.timestep_sampling now"),
        ("model=ddpm_unet sampler.clip=1", "did you mean model.clip?"),
        ("model=noisy_classifier network=noisy_picture", "it is network=noisy_image now"),
        ("logger=wandb logger.offline=true", "did you mean logger.wandb.offline?"),
        # what is no override, or one too many
        ("model.prediction=[", "is no override; write key=value"),
        ("seed=1,2", "'seed=1,2' is a sweep; add -m"),
        ("optimizer.lr=interval(0.1,1)", "is a sweep; add -m"),
        ("-m optimizer.lr=interval(0.1,1)", "pass hydra/sweeper=optuna"),
        ("-m seed=range(3,1)", "is a sweep over nothing"),
        ("-m seed=range(1,1000000000)", "is a sweep over 999999999 values"),
        ("-m model=stn seed=1,2 resume=true", "resume=true: hydra.sweep.dir holds no sweep"),
        ("-m model=stn seed=1,2 out=x", "for a sweep pass hydra.sweep.dir="),
        # what has no effect
        ("model=stn schedule=linear", "schedule=linear has no effect"),
        ("model=classifier classifier=joint", "classifier=joint has no effect"),
        ("callbacks=lr_monitor", "write +callbacks=lr_monitor"),
        # what makes no sense
        ("model.label_weight=-1", "must be a number of at least 0"),
        ("model=ddpm_unet model.bins=0", "of at least 1 or one of auto or null"),
        ("trainer.devices=0", "choose 1 to "),
        ("trainer.devices=1000", "choose 1 to "),
        ("data.batch_size=1", "has batch norms, which need 2 or more"),
        (f"out={'a' * 300}", "File name too long; choose another out="),
        ("out=${oops}", "Interpolation key 'oops' not found"),
    ],
)
def test_words_are_refused_without_heavy_imports(
    workplace: Path, capsys: pytest.CaptureFixture[str], words: str, message: str
):
    assert train_command(words.split(" ")) == 2
    refused(capsys, message)


def refused(capsys: pytest.CaptureFixture[str], message: str) -> None:
    """One line on stderr, nothing on stdout, no folder."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("modle=stn", "no setting 'modle'; did you mean model?"),
        ("model=shy task=redraw", "task=redraw is none for STN"),
        ("model=shy lr_scheduler=konstant", "did you mean constant? (constant, cosine, one_cycle)"),
        ("model=shy --config-dir nowhere", "--config-dir=nowhere: there is no such folder"),
    ],
)
def test_further_folders_change_no_refusal(
    workplace: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    words: str,
    message: str,
):
    conf = tmp_path_factory.mktemp("conf")
    (conf / "model").mkdir()
    (conf / "model" / "shy.yaml").write_text("# @package _global_\ndefaults:\n  - /model/stn\n")
    assert train_command(["--config-dir", str(conf), *words.split(" ")]) == 2
    refused(capsys, message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("+foo=1", "foo has no effect: model=diff_in_stn makes no use of it"),
        ("+trainer.max_stepz=5", "no setting 'trainer.max_stepz'; did you mean max_steps?"),
        ("+trainer.callbacks=5", "no setting 'trainer.callbacks'"),
        ("+logger.entity=x", "no setting 'logger.entity'"),
        ("logger=wandb +logger.entity=x", "did you mean logger.wandb.entity?"),
        ("+evaluate.split=val", "no setting 'evaluate.split'"),
        (
            "data=mnist",
            "it needs distorted images with their pose; use data=affine_cifar10, affine_",
        ),
        ("network=unet", "use network=latent_denoiser or pose_denoiser"),
        ("classifier.run=runs/none", "run=runs/none: no run there"),
        ("accelerator=gpu", "accelerator=gpu: no CUDA device is visible"),
        ("trainer.precision=fp8", "choose auto, fp32, bf16 or fp16"),
        ("out=3", "out=3: must be text or null"),
        ("ckpt=none.ckpt", "ckpt=none.ckpt: no run there"),
        ("ckpt_parts=x", "ckpt_parts=x: must be pairs {text: text} or null"),
        ("optimizer.lr=-1", "optimizer: Invalid learning rate: -1"),
        ("+callbacks=device_stats", "writes to a logger, and there is none: add logger=tensor"),
        ("model=stn task=redraw", "task=redraw is none for STN"),
        ("data.distortion=full", "must be a group of settings with a _target_; write data/dist"),
        ("model=gaussian_1d", "run: python sample.py model=gaussian_1d"),
        ("epochs=3 validate_every=2", "validate_every=2 must divide epochs=3"),
        ("-m model=stn optimizer.lr=0.1,fast", "optimizer.lr=fast: must be a number"),
        ("-m model=stn seed=1,2 accelerator=ddp", "one sweep per GPU"),
        ("-m model=stn seed=1,2 trainer.devices=2", "one sweep per GPU"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    workplace: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    message: str,
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert train_command(words.split(" ")) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert not list(Path().iterdir())


def test_a_refusal_takes_no_torch():
    code = """
import sys
from diffstn.cli.train import train_command
assert train_command(["epoch=3"]) == 2
assert train_command(["model=stn", "schedule=linear"]) == 2
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_debug_shows_the_traceback(workplace: Path, capsys: pytest.CaptureFixture[str]):
    assert train_command(["epoch=3", "debug=true"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_programming_error_is_not_dressed_up(train: Train, monkeypatch: pytest.MonkeyPatch):
    from diffstn.store.run_folder import RunFolder

    def broken(*args: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("diffstn.models.stn.STN.loss", broken)
    with pytest.raises(KeyError, match="a bug"):
        train("model=stn", "out=run")
    assert RunFolder("run").read_json("status")["state"] == "failed"


@pytest.mark.parametrize("word", ["epochs", "epochs 3", "a=b=[c"])
def test_what_is_no_override_is_refused(word: str):
    with pytest.raises(UserError, match="is no override; write key=value"):
        parse([word])


def test_groups_are_hydra_s_and_experiments_have_paths():
    with composing() as loader:
        found = groups(loader)
    assert {"paper", "full", "rts"} <= set(found["data/distortion"])
    assert "distortion" not in {name.split("/")[0] for name in found["data"]}
    assert {"paper/stn", "paper/diff_in_stn"} <= set(found["experiment"])
    assert not any(group.startswith("experiment/") for group in found)


def test_groups_of_a_further_folder_are_found(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text("_target_: x\n")
    with composing([str(tmp_path)]) as loader:
        assert {"mine", "mnist"} <= set(groups(loader)["data"])


def test_keys_and_closest():
    assert list(keys({"a": {"b": 1, "_target_": "x"}, "c": 2})) == ["a", "a.b", "c"]
    assert closest("zeta", ["alpha"]) == "there are: alpha"
    assert closest("evaluate.limit", ["task.limit", "x.limit"]) == (
        "did you mean task.limit or x.limit?"
    )


@pytest.mark.slow
def test_a_refusal_answers_within_two_seconds():
    start = time.perf_counter()
    done = subprocess.run([sys.executable, str(ROOT / "train.py"), "epoch=3"], capture_output=True)
    assert done.returncode == 2
    assert time.perf_counter() - start < 2


def test_a_full_disk_is_a_line_whoever_meets_it(capsys: pytest.CaptureFixture[str]):
    with Outcome(debug=False) as outcome:
        raise OSError(errno.ENOSPC, "No space left on device")  # of an open file: without a name
    assert outcome.code == 2
    assert capsys.readouterr().err == "error: what it has to say: No space left on device\n"
    with pytest.raises(OSError, match="unheard of"), Outcome(debug=False):
        raise OSError(errno.EBADF, "unheard of")
