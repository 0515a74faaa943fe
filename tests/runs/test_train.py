"""One run in one folder: repeatable, resumable, and never at the cost of another."""

import csv
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
import yaml
from PIL import Image

from diffstn.build import load_model
from diffstn.callbacks.last_checkpoint import STOP, LastCheckpoint
from diffstn.cli.train import train_command
from diffstn.errors import Stopped, UserError
from diffstn.store.checkpoints import trained_weights
from diffstn.store.run_folder import RunFolder, open_run
from tests.conftest import SMALL, TINY, mnist_once

Train = Callable[..., int]
DIFFUSION = ["model=diff_in_stn", "network.width=32", "sampler.steps=2"]


def checkpoint(run: str, name: str = "last") -> dict[str, Any]:
    return torch.load(Path(run, "checkpoints", f"{name}.ckpt"), weights_only=True)


def rows(run: str) -> list[dict[str, str]]:
    """metrics.csv without what the clock says."""
    with Path(run, "metrics.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def metrics(run: str) -> dict[str, Any]:
    numbers = RunFolder(run).read_json("metrics")
    return {k: v for k, v in numbers.items() if "seconds" not in k}


def status(run: str) -> dict[str, Any]:
    return RunFolder(run).read_json("status")


def assert_same_state(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for key in ("state_dict", "ema_state_dict"):
        assert ours[key].keys() == theirs[key].keys()
        for name, value in ours[key].items():
            assert torch.equal(value, theirs[key][name]), (key, name)


def judge_of_digits() -> None:
    """A run of a tiny judge in `judge`."""
    assert train_command([*SMALL, "model=classifier", "data=mnist", "encoder=fc", "out=judge"]) == 0


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(train: Train):
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert train(*DIFFUSION, f"seed={seed}", f"out={out}") == 0
    assert rows("a") == rows("b")
    assert metrics("a") == metrics("b")
    assert_same_state(checkpoint("a"), checkpoint("b"))
    assert rows("a") != rows("c")


def stop_after(patch: pytest.MonkeyPatch, *steps: int) -> None:
    """As if SIGTERM came in these steps."""
    left = list(steps)

    def asked(self: LastCheckpoint, trainer: Any) -> int:
        if left and trainer.global_step == left[0]:
            return STOP + signal.SIGTERM + 0 * left.pop(0)
        return 0

    patch.setattr(LastCheckpoint, "asked", asked)


@pytest.mark.parametrize(
    "settings",
    [
        [*DIFFUSION, "encoder=pool", "lr_scheduler=one_cycle", "epochs=2"],
        pytest.param(
            ["model=stn", "optimizer=adam", "lr_scheduler=cosine", "validate_every=2", "epochs=2"],
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["model=stn", "encoder=localisation", "trainer.precision=bf16", "epochs=2"],
            marks=pytest.mark.slow,
        ),
        ["model=stn", "trainer.accumulate_grad_batches=2", "data.batch_size=8", "epochs=2"],
    ],
    ids=["diffusion", "stn", "bf16", "accumulating"],
)
def test_a_run_stopped_twice_within_epochs_ends_to_the_bit_as_one_that_was_not(
    train: Train, monkeypatch: pytest.MonkeyPatch, settings: list[str]
):
    words = [*settings, "data.limit_train=96"]
    assert train(*words, "out=straight") == 0
    with monkeypatch.context() as patch:
        stop_after(patch, 2, 4)  # of 3 or 6 in an epoch
        assert train(*words, "out=stopped") == 143
        assert checkpoint("stopped")["global_step"] == 2
        assert status("stopped")["state"] == "interrupted"
        assert status("stopped")["resume"] == "python train.py out=stopped resume=true"
        for step in (2, 4):
            torch.manual_seed(12345)
            assert train("out=stopped", "resume=true") == (143 if step == 2 else 0)
    assert status("stopped")["state"] == "done"
    assert_same_state(checkpoint("straight"), checkpoint("stopped"))
    assert rows("straight") == rows("stopped")
    assert metrics("straight") == metrics("stopped")


@pytest.mark.parametrize(
    ("words", "step", "code"),
    [
        (["data.limit_train=96", "trainer.max_steps=5"], 4, 137),
        (["data.limit_train=160", "trainer.val_check_interval=3"], 4, 143),
    ],
    ids=["killed after an epoch of a training in steps", "stopped after a validation within one"],
)
def test_epochs_and_validations_that_are_over_are_not_repeated(
    train: Train, monkeypatch: pytest.MonkeyPatch, words: list[str], step: int, code: int
):
    words = ["model=stn", *words]
    assert train(*words, "out=straight") == 0
    with monkeypatch.context() as patch:
        stop_after(patch, step)
        if code == 137:
            patch.setattr(LastCheckpoint, "asked", killed_after(step))
        assert train(*words, "out=stopped") == code
    assert train("out=stopped", "resume=true") == 0
    assert_same_state(checkpoint("straight"), checkpoint("stopped"))
    assert rows("straight") == rows("stopped")
    assert all(row["val/accuracy"] for row in rows("straight"))


def killed_after(step: int) -> Callable[..., int]:
    """For `LastCheckpoint.asked`: the end, without a checkpoint."""

    def asked(self: LastCheckpoint, trainer: Any) -> int:
        if trainer.global_step == step:
            raise Stopped("SIGKILL", 137)
        return 0

    return asked


def test_a_run_that_reads_its_images_goes_on_with_another_number_of_workers(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
):
    images, labels = mnist_once()["train"]
    for digit in (0, 1):
        (workplace / "digits" / str(digit)).mkdir(parents=True)
        for i, image in enumerate(images[labels == digit][:40]):
            Image.fromarray(image[0].numpy()).save(workplace / f"digits/{digit}/{i:02}.png")
    words = ["model=classifier", "data=streamed_image_folder", "data.root=digits", "encoder=pool"]
    words += ["data.channels=1", "data.image_size=[28,28]", "data.batch_size=8", "epochs=2"]
    words += ["accelerator=cpu", "trainer.precision=fp32", "report=false"]
    assert train_command([*words, "data.workers=0", "out=straight"]) == 0
    with monkeypatch.context() as patch:
        stop_after(patch, 3, 6)
        assert train_command([*words, "data.workers=0", "out=stopped"]) == 143
        assert train_command(["out=stopped", "resume=true", "data.workers=2"]) == 143
    assert train_command(["out=stopped", "resume=true", "data.workers=1"]) == 0
    assert_same_state(checkpoint("straight"), checkpoint("stopped"))
    assert rows("straight") == rows("stopped")
    assert metrics("straight") == metrics("stopped")


@pytest.mark.parametrize("lr_scheduler", ["one_cycle", "cosine", "constant"])
def test_a_finished_run_goes_on_with_more_epochs(train: Train, lr_scheduler: str):
    settings = ["model=stn", f"lr_scheduler={lr_scheduler}"]
    assert train(*settings, "out=run") == 0
    assert train(*settings, "out=run", "resume=true", "epochs=2") == 0
    assert [row["epoch"] for row in rows("run")] == ["1", "2"]
    if lr_scheduler == "constant":
        assert train(*settings, "out=straight", "epochs=2") == 0
        assert rows("straight") == rows("run")


def test_a_resumed_run_keeps_its_own_settings(train: Train):
    assert train("model=stn", "model.cascade=2", "out=run", "optimizer.lr=0.03") == 0
    assert train("out=run", "resume=True", "epochs=2") == 0
    assert [row["lr"] for row in rows("run")] == ["0.03", "0.03"]


def test_nothing_is_overwritten(train: Train, capsys: pytest.CaptureFixture[str]):
    assert train("model=stn", "out=run") == 0
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    capsys.readouterr()
    assert train("model=stn", "out=run", "seed=2") == 2
    error = capsys.readouterr().err
    assert error.endswith("run holds a run already; choose another out=, or resume=true\n")
    assert error.count("\n") == 1
    after = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    assert before == after


@pytest.mark.parametrize("overrides", [["out=new"], []])
def test_there_must_be_a_run_to_resume(
    train: Train, capsys: pytest.CaptureFixture[str], overrides: list[str]
):
    assert train("model=stn", *overrides, "resume=true") == 2
    error = capsys.readouterr().err
    assert ("no run there" if overrides else "pass out=<its folder>") in error
    assert "Traceback" not in error


@pytest.mark.parametrize("word", ["ema_decay=0.9", "optimizer.lr=1.0", "data.batch_size=7"])
def test_what_a_begun_run_is_made_of_cannot_change(
    train: Train, capsys: pytest.CaptureFixture[str], word: str
):
    assert train("model=stn", "ema_decay=0", "out=run") == 0
    assert train("out=run", "resume=true", "epochs=2", word) == 2
    assert f"{word}: a run that has begun keeps this" in capsys.readouterr().err


def test_a_run_without_an_average_has_raw_weights_only(train: Train):
    assert train("model=stn", "ema_decay=0", "out=run") == 0
    assert "ema_state_dict" not in checkpoint("run")
    assert metrics("run")["protocol"]["weights"] == "raw"
    with pytest.raises(UserError, match="pass weights=raw"):
        trained_weights(RunFolder("run"), "last", "ema")


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    train: Train, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    from diffstn.models.stn import STN

    loss = STN.loss

    def explode(self: STN, batch: Any) -> dict[str, Any]:
        terms = loss(self, batch)
        return {"loss": terms["loss"] * (torch.nan if self.trainer.global_step >= 3 else 1)}

    monkeypatch.setattr(STN, "loss", explode)
    assert train("model=stn", "epochs=3", "out=run") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: the loss became nan at step 4 (epoch 2); no checkpoint was")
    assert "optimizer.lr" in error
    assert status("run")["state"] == "failed"
    assert "became nan at step 4" in status("run")["error"]
    assert "Traceback" in Path("run/train.log").read_text()
    for name in ("last", "best"):
        content = checkpoint("run", name)
        assert content["global_step"] == 2
        for key in ("state_dict", "ema_state_dict"):
            assert all(v.isfinite().all() for v in content[key].values())
    assert not Path("run/metrics.json").exists()


def test_weights_are_raw_or_averaged_as_asked(train: Train):
    assert train("model=stn", "out=run", "epochs=2", "ema_decay=0.5", "optimizer.lr=0.5") == 0
    run, content = RunFolder("run"), checkpoint("run")
    raw, average = (trained_weights(run, "last", kind) for kind in ("raw", "ema"))
    assert all(torch.equal(raw[k], v) for k, v in content["state_dict"].items())
    assert all(torch.equal(average[k], v) for k, v in content["ema_state_dict"].items())
    assert any(not torch.equal(raw[k], v) for k, v in average.items())
    loaded = load_model(run, checkpoint="last", weights="raw")
    assert not loaded.training
    assert all(torch.equal(loaded.state_dict()[k], v) for k, v in raw.items())
    for bad, message in (("first", "checkpoint= can be: best, last"), ("best", "ema or raw")):
        with pytest.raises(UserError, match=message):
            trained_weights(run, bad, "mean")


def test_a_run_that_was_never_validated_is_read_as_it_was_measured(train: Train):
    assert train("model=stn", "out=run", "validate_every=100", "trainer.max_steps=1") == 0
    run = RunFolder("run")
    assert run.read_config()["evaluate"]["checkpoint"] == "best"
    assert metrics("run")["protocol"]["checkpoint"] == "last"
    last = trained_weights(run, "last")
    for found in (trained_weights(run), load_model(run).state_dict()):
        assert all(torch.equal(last[name], value) for name, value in found.items())
    with pytest.raises(UserError, match="checkpoint= can be: last"):
        trained_weights(run, "best")


def test_the_evaluation_at_the_end_uses_the_weights_asked_for(train: Train):
    assert train("model=stn", "out=run", "evaluate.weights=raw") == 0
    assert metrics("run")["protocol"]["weights"] == "raw"


def test_weights_that_do_not_fit_the_overrides_are_refused(train: Train):
    assert train("model=stn", "out=run") == 0
    run = RunFolder("run")
    changed = yaml.safe_load(run.config.read_text())
    changed["model"]["cascade"] = 2
    with pytest.raises(UserError, match="do not fit its configuration with these overrides"):
        load_model(run, config=changed)


def test_missing_data_leaves_the_folder_free(train: Train, capsys: pytest.CaptureFixture[str]):
    missing = ["data=affine_cifar10", "data.source=nowhere.npz", "model=stn", "out=run"]
    assert train(*missing) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert "nowhere.npz" in error
    assert status("run")["state"] == "failed"
    assert not Path("run/config.yaml").exists()
    assert train("model=stn", "out=run") == 0


def test_a_frozen_classifier_never_changes(train: Train):
    judge_of_digits()
    settings = ["classifier=frozen", "classifier.run=judge", "optimizer.lr=0.1"]
    assert train("model=stn", *settings, "out=run") == 0
    judge = trained_weights(RunFolder("judge"), "best", "ema")
    for kind in ("raw", "ema"):
        ours = trained_weights(RunFolder("run"), "last", kind)
        for name, value in judge.items():
            assert torch.equal(ours["classifier." + name], value), name


def test_a_run_needs_its_judge_s_folder_no_more(train: Train):
    judge_of_digits()
    assert train("model=stn", "classifier=frozen", "classifier.run=judge", "out=run") == 0
    judge = trained_weights(RunFolder("judge"), "best", "ema")
    shutil.rmtree("judge")
    found = load_model(RunFolder("run")).state_dict()
    for name, value in judge.items():
        assert torch.equal(found["classifier." + name], value), name
    assert train("model=stn", "epochs=2", "out=run", "resume=true") == 0


def test_another_judge_may_judge_a_run(train: Train):
    judge_of_digits()
    assert train("model=stn", "classifier=frozen", "classifier.run=judge", "out=run") == 0
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    config["classifier"]["run"] = "pretrained/judge"
    run, judge = RunFolder("run"), trained_weights(open_run("pretrained/judge"), "best", "ema")
    found = load_model(run, config=config).state_dict()
    for name, value in judge.items():
        assert torch.equal(found["classifier." + name], value), name
    for name, value in trained_weights(run, "best", "ema").items():
        if not name.startswith("classifier."):
            assert torch.equal(found[name], value), name


def test_everything_written_is_plain(train: Train):
    assert train("model=stn", "out=run") == 0
    assert json.loads(Path("run/metrics.json").read_text())["protocol"]["model"] == "stn"
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    assert config["choices"]["data/distortion"] == "paper"
    overrides = Path("run/overrides.txt").read_text().splitlines()
    assert overrides[-2:] == ["model=stn", "out=run"]
    facts = json.loads(Path("run/facts.json").read_text())
    assert facts["classes"] == list("0123456789")
    assert set(config) >= {"model", "encoder", "task", "trainer"}
    assert not set(config) & {"network", "schedule", "sampler", "codec"}  # an STN has none
    assert not list(Path("run").glob("*.part"))


def test_training_by_steps_validates_evaluates_and_resumes(train: Train):
    words = ["model=stn", "trainer.max_steps=3"]  # an epoch has two
    assert train(*words, "out=run") == 0
    assert [(row["epoch"], row["step"]) for row in rows("run")] == [("1", "2"), ("2", "3")]
    assert all(row["val/accuracy"] for row in rows("run"))
    assert checkpoint("run")["global_step"] == 3
    assert "accuracy k=1" in metrics("run")["numbers"]
    before, table = checkpoint("run"), rows("run")
    assert train("out=run", "resume=true") == 0  # nothing is left to learn
    assert_same_state(before, checkpoint("run"))
    assert rows("run") == table
    assert train("out=run", "resume=true", "trainer.max_steps=6") == 0
    assert checkpoint("run")["global_step"] == 6


@pytest.mark.parametrize(
    "words",
    [
        ["trainer.gradient_clip_val=0.5", "trainer.accumulate_grad_batches=2"],
        ["trainer.limit_train_batches=1", "trainer.limit_val_batches=1", "trainer.profiler=simple"],
        ["trainer.limit_val_batches=0", "trainer.deterministic=true"],
        ["trainer.overfit_batches=1", "trainer.log_every_n_steps=1"],
    ],
)
def test_arguments_of_lightning_s_trainer_do_what_they_say(train: Train, words: list[str]):
    assert train("model=stn", *words, "out=run") == 0
    assert "numbers" in metrics("run")


def test_a_training_stops_when_its_time_is_up_and_goes_on(train: Train):
    assert train("model=stn", "out=run", "trainer.max_time=00:00:00:00") == 124
    assert checkpoint("run")["global_step"] == 1
    assert status("run")["error"] == "trainer.max_time is over"
    assert train("out=run", "resume=true", "trainer.max_time=null") == 0
    assert checkpoint("run")["global_step"] == 2


@pytest.mark.parametrize("value", ["soon", "{hours: x}", "1:2"])
def test_a_time_that_is_none_is_refused(train: Train, capsys, value: str):
    assert train("model=stn", f"trainer.max_time='{value}'") == 2
    assert "write days:hours:minutes:seconds" in capsys.readouterr().err


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Also if it had weights of another run."""
    judge_of_digits()
    words = ["model=stn", "classifier=frozen", "classifier.run=judge"]
    assert train(*words, "out=straight") == 0
    with monkeypatch.context() as patch:
        patch.setattr(pl.Trainer, "fit", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        assert train(*words, "out=run") == 130
    assert [path.name for path in Path("run/checkpoints").iterdir()] == ["first.ckpt"]
    shutil.rmtree("judge")
    assert train("out=run", "resume=true") == 0
    assert "the training begins again" in capsys.readouterr().err
    assert metrics("run") == metrics("straight")
    assert_same_state(checkpoint("run"), checkpoint("straight"))
    assert not Path("run/checkpoints/first.ckpt").exists()


def test_one_command_begins_and_carries_on(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Also where `out` has blanks, or is said by the environment."""
    monkeypatch.setenv("WHO", "me")
    words = [*TINY, "model=stn", "resume=auto"]
    assert train_command(words) == 2
    assert "pass out=<folder>" in capsys.readouterr().err
    words.append("out='my runs/a,b=${oc.env:WHO}'")
    assert train_command(words) == 0
    before = rows("my runs/a,b=me")
    assert train_command([*words, "trainer.log_every_n_steps=1", "epochs=2"]) == 0
    assert rows("my runs/a,b=me")[:1] == before
    assert len(rows("my runs/a,b=me")) == 2
    assert train_command(words) == 2  # which asks for one epoch
    assert "has trained for 2 epochs" in capsys.readouterr().err


def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    train: Train, capsys: pytest.CaptureFixture[str]
):
    assert train("model=stn", "epochs=2", "out=straight") == 0
    shutil.copytree("straight", "run")
    path = Path("run/checkpoints/last.ckpt")
    path.write_bytes(path.read_bytes()[:1000])
    Path("run/metrics.csv").write_bytes(b"\xff nonsense")
    Path("run/overrides.txt").unlink()
    assert train("out=run", "resume=true") == 0
    assert "last.ckpt is damaged: last.ckpt.before takes its place" in capsys.readouterr().err
    assert rows("run") == rows("straight")
    assert metrics("run") == metrics("straight")
    assert_same_state(checkpoint("run"), checkpoint("straight"))
    Path("run/checkpoints/best.ckpt").write_bytes(b"")
    assert train("out=run", "resume=true") == 0
    assert "best.ckpt is damaged: " in capsys.readouterr().err
    assert metrics("run").keys() == metrics("straight").keys()


def test_a_run_that_was_moved_keeps_its_best(train: Train):
    words = ["model=stn", "epochs=2", "optimizer.lr=0.0"]
    assert train(*words, "out=one") == 0
    best = metrics("one")["monitored"]
    shutil.move("one", "two")
    assert train("out=two", "resume=true", "epochs=3") == 0
    assert metrics("two")["monitored"] == best
    assert checkpoint("two", "best")["global_step"] == 2  # nothing was better at a rate of 0
    kept = checkpoint("two")["callbacks"]
    assert all("one/" not in str(state.get("best_model_path")) for state in kept.values())


def test_a_run_of_an_older_version_goes_on(train: Train):
    """Its trainer's settings are few, its checkpoint holds nothing of ours."""
    assert train("model=stn", "out=run") == 0
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    kept = ("max_epochs", "check_val_every_n_epoch", "max_steps", "max_time", "devices", "strategy")
    config["trainer"] = {k: config["trainer"][k] for k in (*kept, "accelerator", "precision")}
    config["trainer"] |= {"num_nodes": 1}
    del config["checkpoint"]
    Path("run/config.yaml").write_text(yaml.safe_dump(config))
    content = checkpoint("run")
    del content["diffstn"], content["callbacks"]["MetricsCSV"]
    torch.save(content, "run/checkpoints/last.ckpt")
    assert train("out=run", "resume=true", "epochs=2") == 0
    assert [row["epoch"] for row in rows("run")] == ["1", "2"]
    assert rows("run")[0]["train/loss"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("epochs=1", "run has trained for 2 epochs; pass epochs=3 or more"),
        ("trainer.max_steps=3", "run has trained for 4 steps; pass trainer.max_steps=5 or more"),
    ],
)
def test_a_run_cannot_become_shorter(
    train: Train, capsys: pytest.CaptureFixture[str], word: str, said: str
):
    assert train("model=stn", "epochs=2", "out=run") == 0
    before = Path("run/config.yaml").read_bytes()
    assert train("out=run", "resume=true", word) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"error: {said}"
    assert Path("run/config.yaml").read_bytes() == before
    assert status("run")["state"] == "done"


def test_a_checkpoint_of_another_model_is_refused(train: Train, capsys):
    assert train("model=stn", "out=run") == 0
    assert train("model=pose_regression", "out=other") == 0
    shutil.copy("other/checkpoints/last.ckpt", "run/checkpoints/last.ckpt")
    assert train("out=run", "resume=true", "epochs=2") == 2
    assert "holds the weights of another model" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["checkpoints/last.ckpt", "metrics.csv"])
def test_results_without_a_run_are_not_overwritten(train: Train, capsys, name: str):
    Path("run/checkpoints").mkdir(parents=True)
    Path("run", name).touch()
    assert train("model=stn", "out=run") == 2
    assert f"run holds {name} and no config.yaml" in capsys.readouterr().err


def test_what_ships_is_not_trained_on(workplace: Path, capsys):
    assert train_command(["out=pretrained/judge", "resume=true"]) == 2
    assert "start a new run from it with ckpt=pretrained/judge" in capsys.readouterr().err


def test_a_fast_run_through_leaves_nothing_to_evaluate(train: Train):
    assert train("model=stn", "trainer.fast_dev_run=true", "out=run") == 0
    assert status("run")["state"] == "done"
    assert not Path("run/metrics.json").exists()


def test_callbacks_are_added_by_name(train: Train):
    words = ["+callbacks=[early_stopping,best_k]", "callbacks.early_stopping.patience=1"]
    assert train("model=stn", "optimizer.lr=0", *words, "epochs=9", "out=run") == 0
    assert len(rows("run")) == 2  # nothing improves at a rate of 0
    assert len(list(Path("run/checkpoints").glob("epoch=*.ckpt"))) == 2
    assert list(metrics("run")["monitored"]) == ["val/accuracy"]
    before = checkpoint("run"), rows("run")
    Path("run/metrics.csv").unlink()
    assert train("out=run", "resume=true") == 0  # what has stopped early trains no more
    assert rows("run") == before[1]
    assert checkpoint("run")["global_step"] == before[0]["global_step"]
    assert train("out=run", "resume=true", "epochs=10") == 0
    assert len(rows("run")) == 3  # unless it is asked to


def test_a_compiled_network_learns_the_same(train: Train, monkeypatch: pytest.MonkeyPatch):
    compiled = []

    def compile_it(module: torch.nn.Module, *_: Any, **__: Any) -> None:
        compiled.append(module)  # a compiler is not everywhere; that it is asked is ours

    monkeypatch.setattr(torch.nn.Module, "compile", compile_it)
    assert train("model=stn", "compile=true", "out=run") == 0
    assert compiled
