"""sample.py model=gaussian_1d."""

import json
from pathlib import Path

import pytest
import torch
from diffstn.runs.closed_form import draw_closed_form, fit
from diffstn.runs.command import run_command, train_command
from diffstn.runs.sampling import sample_run

CONF = Path(__file__).parents[2] / "conf"


def sample(*words: str) -> int:
    return run_command(CONF, "sample", sample_run, list(words), untrained=draw_closed_form)


def test_a_fit_of_normal_draws():
    draws = 3 + 2 * torch.randn(5000, generator=torch.Generator().manual_seed(0))
    assert fit("x", draws, 3.0, 4.0).p_value > 0.05
    assert fit("x", draws, 3.3, 4.0).p_value < 1e-6


def test_every_schedule_is_tested_and_drawn(workplace: Path, capsys: pytest.CaptureFixture[str]):
    assert sample("model=gaussian_1d", "out=g", "model.paths=4000", "model.mean=1.0") == 0
    numbers = json.loads(Path("g/gaussian_1d.json").read_text())
    reached = {name: one["reaches N(0, 1)"] for name, one in numbers.items()}
    assert reached["constant, as chosen"]
    assert reached["cosine"]
    assert not reached["linear, as for T = 1000"]
    assert numbers["cosine"]["x_0, exact"]["p_value"] > 0.05
    assert numbers["cosine"]["x_0, exact"]["mean"] == 1.0
    assert numbers["linear, as for T = 1000"]["x_0, exact"]["p_value"] < 0.001
    assert Path("g/gaussian_1d.png").stat().st_size > 50_000
    assert "4000 paths of T = 50 steps" in capsys.readouterr().out


def test_another_schedule_can_be_chosen(workplace: Path):
    words = ["schedule=linear", "schedule.steps=20", "model.paths=200", "out=g"]
    assert sample("model=gaussian_1d", *words) == 0
    assert "linear, as chosen" in json.loads(Path("g/gaussian_1d.json").read_text())


def test_what_cannot_be_is_refused(workplace: Path, capsys: pytest.CaptureFixture[str]):
    assert train_command(CONF, ["model=gaussian_1d"]) == 2
    assert "run: python sample.py model=gaussian_1d" in capsys.readouterr().err
    assert sample("model=diff_in_stn") == 2
    assert "has to be trained first: pass run=" in capsys.readouterr().err
    assert sample("model=gaussian_1d", "model.variance=0") == 2
    assert "variance must be positive" in capsys.readouterr().err
    assert sample("model=gaussian_1d", "model.path=3") == 2
    assert "did you mean model.paths?" in capsys.readouterr().err
    assert sample() == 2
    assert "which run?" in capsys.readouterr().err
