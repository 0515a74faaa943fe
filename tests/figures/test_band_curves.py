"""Means of several runs and how far they lie apart."""

from pathlib import Path

import pytest
from PIL import Image

from diffstn.figures.band_curves import band, band_curves


def test_a_band_is_the_mean_and_the_sample_deviation_at_each_step():
    steps, means, spreads = band([[(0, 1), (10, 4)], [(0, 3), (10, 4)], [(20, 7)]])
    assert steps == [0, 10, 20]
    assert means == [2, 4, 7]
    assert spreads == pytest.approx([2**0.5, 0, 0])


def test_panels_stand_side_by_side(tmp_path: Path):
    curves = {name: [[(1.0, 2.0), (2.0, 1.0)], [(1.0, 3.0), (2.0, 2.0)]] for name in ("a", "b")}
    one = band_curves({"loss": curves}, tmp_path / "one.png")
    four = band_curves(dict.fromkeys("wxyz", curves), tmp_path / "four.png")
    with Image.open(one) as first, Image.open(four) as second:
        assert second.width == 3 * first.width
        assert second.height > 1.5 * first.height
    with pytest.raises(ValueError, match="no curve"):
        band_curves({"loss": {}}, tmp_path / "none.png")
