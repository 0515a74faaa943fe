"""The score models from the command line: they train, sample by Langevin dynamics, are judged."""

import json
from pathlib import Path

import pytest

from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.tasks.generate_points import GeneratePoints

SHORT = [
    *("model=ncsn_points", "data.shape=circle", "data.train=6400", "data.val=500", "data.test=200"),
    *("data.batch_size=64", "optimizer.lr=5e-3", "network.width=32", "network.blocks=1"),
    *("schedule.steps=20", "schedule.sigma_min=0.02", "sampler.steps=20", "epochs=2"),
    *("task.samples=200", "accelerator=cpu", "report=false", "out=run"),
]


def test_points_by_annealed_langevin_and_by_predictor_and_corrector(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("plot", "callbacks"):
        monkeypatch.setattr(GeneratePoints, name, lambda *_, **__: [])
    assert train_command(SHORT) == 0
    row = json.loads((workplace / "run/metrics.json").read_text())["generation"]["circle"]
    assert row["Chamfer floor"] < row["Chamfer"] < 0.5  # an untrained network leaves them at 4
    words = ["run=run", "sampler=langevin", "sampler.steps=20", "out=by_langevin"]
    assert run_command("evaluate", ["accelerator=cpu", *words]) == 0
    [found] = (workplace / "by_langevin").glob("*.json")
    assert json.loads(found.read_text())["generation"]["circle"]["Chamfer"] > 0


def test_a_step_that_is_too_long_is_refused_in_a_line(
    workplace: Path, capsys: pytest.CaptureFixture[str]
):
    wrong = ["model=ncsn_points", "sampler.rate=5", "out=wrong", "accelerator=cpu"]
    assert train_command(wrong) == 2
    assert "rate between 0 and 4" in capsys.readouterr().err
