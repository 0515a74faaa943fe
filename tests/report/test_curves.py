"""Curves of a `metrics.csv`."""

from pathlib import Path

import pytest

from diffstn.report.curves import Curves, read_curves


def test_numbers_are_read_and_gaps_kept(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    path.write_text(
        "epoch,step,seconds,lr,val/loss,word\n1,10,0.5,1e-3,nan,a\n2,20,1.5,1e-4,0.25,b\n3,30\n"
    )
    curves = read_curves(path)
    assert curves.axes == {"epoch": [1, 2, 3], "step": [10, 20, 30], "seconds": [0.5, 1.5, None]}
    assert curves.metrics == {"lr": [1e-3, 1e-4, None], "val/loss": [None, 0.25, None]}
    assert curves.points("val/loss") == [(20, 0.25)]
    assert curves.points("none") == []


def test_long_curves_are_thinned_evenly_and_keep_their_ends():
    steps: list[float | None] = [float(i) for i in range(10_001)]
    thin = Curves({"step": steps}, {"loss": steps}).thinned(101)
    assert thin.axes["step"] == thin.metrics["loss"] == steps[::100]


def test_what_is_seldom_measured_is_thinned_by_itself():
    steps: list[float | None] = [float(i) for i in range(1000)]
    seldom: list[float | None] = [i if i % 10 == 9 else None for i in steps if i is not None]
    thin = Curves({"step": steps}, {"train/loss": steps, "val/loss": seldom}).thinned(100)
    assert len(thin.points("val/loss")) == 100
    assert 100 <= len(thin.axes["step"]) <= 200


def test_a_file_without_steps_is_refused(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no column 'step'"):
        read_curves(path)
