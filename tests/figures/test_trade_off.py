import pytest
from PIL import Image

from diffstn.figures.trade_off import trade_off


def test_a_curve_for_every_name(tmp_path):
    curves = {"labels": [(80.0, 9.0, "0"), (99.0, 3.0, "1")], "both": [(97.0, 2.0, "4")]}
    path = trade_off(curves, tmp_path / "x" / "p.png", "as asked", "FID")
    with Image.open(path) as page:
        assert page.size == (1100, 760)
        colours = {colour for _, colour in page.convert("RGB").getcolors(1 << 20)}
    assert {(0, 114, 178), (230, 159, 0)} <= colours


@pytest.mark.parametrize("curves", [{}, {"a": []}, {"a": [(1.0, 0.0, "1")]}])
def test_it_takes_points_and_positive_ones(tmp_path, curves):
    with pytest.raises(ValueError, match="a trade-off needs points"):
        trade_off(curves, tmp_path / "p.png", "x", "y")
