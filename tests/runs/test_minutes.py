"""A length in minutes is a number of steps that is found once."""

from pathlib import Path
from typing import Any

import pytest
import torch

from diffstn.callbacks.clock import Clock
from diffstn.cli.train import train_command
from diffstn.runs import minutes
from diffstn.store.run_folder import RunFolder
from tests.conftest import TINY

WORDS = [*TINY, "model=stn", "lr_scheduler=one_cycle"]


def weights(run: str) -> dict[str, Any]:
    path = Path(run, "checkpoints", "last.ckpt")
    return torch.load(path, weights_only=True)["state_dict"]


def test_a_run_of_minutes_is_one_of_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Clock, "seconds", lambda self: 6.0)
    assert train_command([*WORDS, "minutes=0.5", "out=timed"]) == 0
    config = RunFolder("timed").read_config()
    assert (config["minutes"], config["trainer"]["max_steps"]) == (0.5, 5)
    assert "minutes=0.5: 5 steps on this machine" in Path("timed/train.log").read_text()
    assert train_command([*WORDS, "trainer.max_steps=5", "out=counted"]) == 0
    theirs = weights("counted")
    assert all(torch.equal(theirs[name], value) for name, value in weights("timed").items())

    monkeypatch.setattr(minutes, "steps_in", None)  # a run that has begun keeps its length
    assert train_command([*WORDS, "minutes=0.5", "out=timed", "resume=auto"]) == 0
    assert train_command(["minutes=0.7", "out=timed", "resume=true"]) == 2


def test_steps_of_all_optimisers_are_counted_and_epochs_may_be_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Clock, "seconds", lambda self: 15.0)
    gan = ["model=gan_points", "data.train=80", "data.val=32", "data.test=32", "data.batch_size=40"]
    words = ["report=false", "accelerator=cpu", "task.samples=64", "generator.width=16"]
    assert train_command([*gan, *words, "minutes=1", "out=run"]) == 0
    assert RunFolder("run").read_config()["trainer"]["max_steps"] == 8


def test_gradients_of_several_batches_are_one_step_and_epochs_have_no_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Clock, "seconds", lambda self: 1.0)
    words = ["minutes=1", "trainer.accumulate_grad_batches=20", "validate_every=4", "epochs=6"]
    assert train_command([*WORDS, *words, "out=run"]) == 0
    assert RunFolder("run").read_config()["trainer"]["max_steps"] == 3


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["minutes=0"], "minutes=0: must be positive"),
        (["minutes=1", "trainer.max_steps=5"], "both say how long: leave one out"),
        (["minutes=1", "trainer.fast_dev_run=true"], "trainer.fast_dev_run trains a few batches"),
        (["minutes=long"], "minutes=long: must be"),
        (["minutes=1", "trainer.devices=2"], "the steps of 2 processes cannot be timed"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    assert train_command([*WORDS, *words, "out=run"]) == 2
    assert line in capsys.readouterr().err
