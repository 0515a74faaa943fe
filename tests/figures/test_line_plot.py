import pytest
from PIL import Image

from diffstn.figures.line_plot import line_plot


def test_a_curve_for_every_name(tmp_path):
    path = line_plot({"a": {5: 2.0, 50: 0.5}, "b": {10: 1.0}}, tmp_path / "x" / "p.png", "n", "y")
    with Image.open(path) as page:
        assert page.size == (1100, 720)
        colours = {colour for _, colour in page.convert("RGB").getcolors(1 << 20)}
    assert {(0, 114, 178), (230, 159, 0)} <= colours


def test_logarithms_need_positive_numbers(tmp_path):
    with pytest.raises(ValueError, match="positive"):
        line_plot({"a": {5: 0.0}}, tmp_path / "p.png", "n", "y")
    with pytest.raises(ValueError, match="points"):
        line_plot({}, tmp_path / "p.png", "n", "y")
