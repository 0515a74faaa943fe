"""sample.py model=gaussian_1d."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from diffstn.build import build
from diffstn.cli.train import train_command
from diffstn.errors import UserError
from diffstn.tasks.gaussian_paths import GaussianPaths, fit


def test_a_fit_of_normal_numbers():
    numbers = 3 + 2 * torch.randn(5000, generator=torch.Generator().manual_seed(0))
    assert fit("x", numbers, 3.0, 4.0).p_value > 0.05
    assert fit("x", numbers, 3.3, 4.0).p_value < 1e-6


def plotted(rows: Any, path: Path) -> Path:
    """In the place of the figure, which takes seconds and has tests of its own."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{len(rows)} rows")
    return path


def test_every_schedule_is_tested_and_plotted(sample, workplace, capsys, monkeypatch):
    monkeypatch.setattr("diffstn.tasks.gaussian_paths.gaussian_paths", plotted)
    assert sample("model=gaussian_1d", "out=g", "task.paths=4000", "model.mean=1.0") == 0
    numbers = json.loads(Path("g/gaussian_1d.json").read_text())
    reached = {name: one["reaches N(0, 1)"] for name, one in numbers.items()}
    assert reached["constant, as chosen"]
    assert reached["cosine"]
    assert not reached["linear, as for T = 1000"]
    assert numbers["cosine"]["x_0, exact"]["p_value"] > 0.05
    assert numbers["cosine"]["x_0, exact"]["mean"] == 1.0
    assert numbers["linear, as for T = 1000"]["x_0, exact"]["p_value"] < 0.001
    assert Path("g/gaussian_1d.png").read_text() == f"{len(numbers)} rows"
    assert "4000 paths of T = 50 steps" in capsys.readouterr().out


def test_another_schedule_can_be_chosen_and_the_numbers_are_those_of_the_figure(
    sample, workplace, config, monkeypatch
):
    Path("g").mkdir()  # as the figure would, which takes seconds
    monkeypatch.setattr("diffstn.tasks.gaussian_paths.gaussian_paths", lambda rows, path: path)
    words = ["model=gaussian_1d", "schedule=linear", "schedule.steps=20"]
    assert sample(*words, "task.paths=200", "out=g") == 0
    plotted = json.loads(Path("g/gaussian_1d.json").read_text())
    assert "linear, as chosen" in plotted
    parts = build(config(*words, "task.paths=200"))
    metrics = parts.task.measure(parts.model, None)
    assert metrics["schedules"] == plotted
    assert metrics["protocol"] == {"paths": 200, "steps": 20}
    for name, distance in metrics["numbers"].items():
        assert distance == plotted[name]["x_0, exact"]["distance"]


def test_what_cannot_be_is_refused(sample, workplace, capsys):
    assert train_command(["model=gaussian_1d"]) == 2
    assert "run: python sample.py model=gaussian_1d" in capsys.readouterr().err
    assert sample("model=diff_in_stn") == 2
    assert "has to be trained first: pass run=" in capsys.readouterr().err
    assert sample("model=gaussian_1d", "model.variance=0") == 2
    assert "variance must be positive" in capsys.readouterr().err
    assert sample("model=gaussian_1d", "task.path=3") == 2
    assert "did you mean task.paths?" in capsys.readouterr().err
    assert sample("model=gaussian_1d", "task.paths=200", "task.shown=300") == 2
    assert "shown=300: there are 200 paths to show" in capsys.readouterr().err
    assert sample() == 2
    assert "which run?" in capsys.readouterr().err


def test_a_model_that_learns_is_refused(built):
    with pytest.raises(UserError, match="task=gaussian_paths is none for STN"):
        GaussianPaths().check(built("model=stn").model, None)
