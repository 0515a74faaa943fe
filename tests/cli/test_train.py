"""The command line: one clear line for bad input, and exit codes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from diffstn.runs.command import file_name, run_command, run_folder, train_command
from diffstn.runs.evaluating import evaluate_run
from diffstn.runs.sampling import sample_run

from diffstn.store.run_folder import RunFolder

CONF = Path(__file__).parents[2] / "conf"
Train = Callable[..., int]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epoch=3", "no setting 'epoch'; did you mean epochs?"),
        ("model=snt", "did you mean stn?"),
        ("data.batch_size=0", "data.batch_size is 0: it must be at least 1"),
        ("schedule.steps=x", "schedule.steps=x: must be a whole number"),
        ("optimizer.lr=abc", "optimizer.lr=abc: must be a number"),
        ("seed=1,2", "'seed=1,2' is a sweep; add -m"),
        ("data=mnist", "model=diff_in_stn cannot train on data=mnist"),
        ("network=unet", "network=unet is none for model=diff_in_stn; use network=latent_denoiser"),
        ("classifier.run=runs/none classifier=frozen", "run=runs/none: no run there"),
        ("accelerator=gpu", "accelerator=gpu: no CUDA device is visible"),
        ("model.prediction=[", "is no override"),
        ("out=3", "out=3: must be text or null"),
        ("out=${oops}", "Interpolation key 'oops' not found"),
        ("logger=null", "logger=null: no such choice"),
        ("~optimizer", "nothing can be left out"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    train: Train,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    override: str,
    message: str,
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert train("model=diff_in_stn", *override.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert not Path("runs").exists()


def test_debug_shows_the_traceback(train: Train, capsys: pytest.CaptureFixture[str]):
    assert train("epoch=3", "debug=true") == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_run_without_out_says_in_its_name_what_it_holds(train: Train):
    assert train("model=stn", "seed=7") == 0
    [folder] = Path("runs").iterdir()
    assert folder.name.endswith("-stn-affine_mnist-seed7")
    assert RunFolder(folder).read_json("status")["state"] == "done"


def test_names_of_folders():
    assert run_folder("here", "stn", "mnist", 1) == "here"
    assert run_folder(None, "stn", "mnist", 1).startswith("runs/")
    assert file_name("data/distortion=full,seed=1") == "data.distortion-full_seed-1"
    assert len(file_name("x" * 500)) == 120


def test_a_programming_error_is_not_dressed_up(train: Train, monkeypatch: pytest.MonkeyPatch):
    def broken(*args: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("diffstn.models.stn.STN.loss", broken)
    with pytest.raises(KeyError, match="a bug"):
        train("model=stn", "out=run")
    assert RunFolder("run").read_json("status")["state"] == "failed"


@pytest.fixture
def evaluate(workplace: Path) -> Callable[..., int]:
    return lambda *words: run_command(CONF, "evaluate", evaluate_run, ["accelerator=cpu", *words])


@pytest.fixture
def sample(workplace: Path) -> Callable[..., int]:
    return lambda *words: run_command(CONF, "sample", sample_run, ["accelerator=cpu", *words])


def test_a_run_is_evaluated_with_overrides_of_its_own_settings(
    train: Train, evaluate: Callable[..., int]
):
    assert train("model=diff_in_stn", "network.width=32", "out=run") == 0
    words = ["sampler.steps=3", "sampler=ddpm", "data/distortion=full", "split=val", "limit=20"]
    assert evaluate("run=run", "out=numbers", "hypotheses=2", *words) == 0
    [path] = Path("numbers").glob("*.json")
    numbers = yaml.safe_load(path.read_text())
    assert set(numbers["k"]) == {"2"}
    assert numbers["images"] == 20
    protocol = numbers["protocol"]
    assert (protocol["split"], protocol["sampler"]) == ("val", "ddpm")
    assert protocol["data/distortion"] == "full"
    assert protocol["checkpoint"] == "best"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run=nowhere"], "run=nowhere: no run there; the runs there are:\n  runs/one  [done]"),
        ([], "which run? pass run=<folder>; the runs there are:\n  runs/one  [done]"),
        (["run=runs/one", "split=training"], "split=training: must be one of test, val"),
        (["run=runs/one", "hypothesis=2"], "no setting 'hypothesis'"),
        (["run=runs/one", "sampler.stepz=2"], "did you mean sampler.steps?"),
        (["run=runs/one", "sampler.steps=x"], "sampler.steps=x: must be a whole number or null"),
        (["run=runs/one", "checkpoint=first"], "checkpoint=first: must be one of best, last"),
        (["run=runs/one", "batch_size=0"], "batch_size=0: must be a whole number of at least 1"),
        (["run=runs/one", "data.source=x"], "did you mean"),
        (["run=runs/one", "accelerator.precision=fp16"], "choose auto, fp32 or bf16"),
        (["run=runs/one", "data=mnist"], "cannot train on data=mnist"),
    ],
)
def test_evaluate_refuses_bad_input_in_one_line(
    train: Train,
    evaluate: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
):
    assert train("model=stn", "out=runs/one") == 0
    capsys.readouterr()
    assert evaluate(*words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert "Traceback" not in error


def test_a_strangers_run_does_not_run_their_code(
    train: Train, evaluate: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    assert train("model=stn", "out=run") == 0
    path = Path("run/config.yaml")
    stored = yaml.safe_load(path.read_text())
    stored["optimizer"] = {"_target_": "os.system", "command": "touch owned"}
    path.write_text(yaml.safe_dump(stored))
    assert evaluate("run=run") == 2
    assert "refusing to build 'os.system'" in capsys.readouterr().err
    assert not Path("owned").exists()


def test_sample_draws_what_a_model_has_to_show(
    train: Train, sample: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    assert train("model=stn", "out=run") == 0
    assert sample("run=run", "out=images", "per_class=1") == 0
    assert {p.name for p in Path("images").iterdir()} == {"curves.png", "corrected.png"}
    assert "wrote images/corrected.png" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_help_is_the_commands_own_configuration(command: str, capsys: pytest.CaptureFixture[str]):
    assert run_command(CONF, command, lambda *_: None, ["--help"]) == 0
    assert "# the run's folder, or pretrained/<name>" in capsys.readouterr().out


def test_resuming_and_sweeps_do_not_mix(train: Train, capsys: pytest.CaptureFixture[str]):
    assert train("-m", "model=stn", "seed=1,2", "resume=true") == 2
    assert "leave -m out" in capsys.readouterr().err


def test_ddp_and_sweeps_do_not_mix(workplace: Path, capsys: pytest.CaptureFixture[str]):
    for words in (["accelerator=ddp"], ["accelerator.devices=2"]):
        assert train_command(CONF, ["-m", "model=stn", "seed=1,2", *words]) == 2
        assert "one sweep per GPU" in capsys.readouterr().err
    assert not Path("sweeps").exists()
