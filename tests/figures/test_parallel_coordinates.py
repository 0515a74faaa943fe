"""A search as lines."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffstn.figures.parallel_coordinates import Axis, parallel_coordinates
from diffstn.figures.style import CYCLE


def test_wide_spans_are_logarithmic_and_words_evenly_spaced():
    rates = Axis([1e-4, 1e-2, *(2e-4 * i for i in range(1, 5))])
    assert rates.logarithmic
    assert rates.height(1e-3) == pytest.approx(0.5)
    assert [word for _, word in rates.ticks()][::2] == ["0.0001", "0.001", "0.01"]
    widths = Axis([8.0, 16.0])
    assert not widths.logarithmic
    assert widths.ticks() == [(0, "8"), (1, "16")]
    assert widths.height(12.0) == 0.5
    words = Axis(["adam", "sgd", "adam"])
    assert [words.height(word) for word in ("adam", "sgd")] == [0.25, 0.75]
    assert Axis([3.0]).height(3.0) == 0.5


@pytest.mark.parametrize("lower", [False, True])
def test_the_best_stands_out(lower: bool, tmp_path: Path):
    path = parallel_coordinates(
        {"lr": [1e-4, 1e-3, 1e-2], "width": [8, 16, 32]},
        [0.1, None, 0.9],
        "val/accuracy",
        tmp_path / "search.png",
        lower,
    )
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    best = (abs(pixels - CYCLE[1]).sum(-1) < 30).nonzero()[0].mean() / len(pixels)
    assert (best > 0.5) == lower  # heights are counted from the top


def test_without_an_objective_there_is_nothing_to_plot(tmp_path: Path):
    with pytest.raises(ValueError, match="objective"):
        parallel_coordinates({"lr": [1.0]}, [None], "loss", tmp_path / "x.png")
