"""Which figure a sweep has."""

from pathlib import Path

import pytest
from PIL import Image

from diffstn.report.curves import Curves
from diffstn.report.differences import differences
from diffstn.report.recorded import Recorded
from diffstn.report.sweep_figure import less_is_better, searched, shown_metrics, sweep_figure


def trial(number: int, **settings: float | str) -> Recorded:
    words = [f"{name}={value}" for name, value in settings.items()]
    curves = Curves({"step": [1.0, 2.0]}, {"train/loss": [2.0, 1.0], "val/loss": [3.0, 2.0]})
    metrics = {"monitored": {"val/loss": 1 / (1 + number)}}
    return Recorded(Path(), str(number), words=words, curves=curves, metrics=metrics)


def test_many_values_of_a_number_are_a_search():
    rates = [trial(i, lr=0.1 / (i + 1)) for i in range(7)]
    assert searched(differences(rates))
    grid = [trial(0, lr=lr, width=width) for lr in (1, 2, 3) for width in (8, 16, 32)]
    assert searched(differences(grid))
    assert not searched(differences(rates[:4]))
    assert not searched(differences([trial(0, seed=i) for i in range(9)]))
    assert not searched(differences([trial(0, name=f"word{i}") for i in range(9)]))


def test_the_monitored_number_comes_first():
    assert shown_metrics([trial(1, lr=1)]) == ["val/loss"]
    assert less_is_better("val/loss")
    assert not less_is_better("val/accuracy")


@pytest.mark.parametrize("count", [3, 8])
def test_a_figure_is_plotted_of_either_kind(count: int, tmp_path: Path):
    runs = [trial(i, lr=0.1 / (i + 1), kind="$x^" if i % 2 else "b") for i in range(count)]
    path = sweep_figure(runs, tmp_path / "summary.png")
    assert path is not None
    with Image.open(path) as image:
        assert image.width > 600


def test_before_anything_is_known_there_is_no_figure(tmp_path: Path):
    nothing = [Recorded(Path(), "a", words=["lr=1"]), Recorded(Path(), "b", words=["lr=2"])]
    assert sweep_figure(nothing, tmp_path / "summary.png") is None
