import pytest
import torch
from PIL import Image

from diffstn.figures.rows_page import rows_page


def test_rows_and_columns_have_their_size(tmp_path):
    rows = {"image": torch.rand(3, 1, 8, 8), "samples": torch.rand(3, 3, 8, 8)}
    small = Image.open(rows_page(rows, tmp_path / "a.png", scale=2)).size
    more = {**rows, " ": torch.rand(3, 1, 8, 8)}
    assert Image.open(rows_page(more, tmp_path / "b.png", scale=2)).size == (
        small[0],
        small[1] + 18,
    )
    wider = {name: torch.cat([one, one]) for name, one in rows.items()}
    page = Image.open(rows_page(wider, tmp_path / "c.png", list("aabbcc"), scale=2))
    assert page.size[0] == small[0] + 3 * 18
    assert page.size[1] > small[1]


def test_what_does_not_go_together_is_refused(tmp_path):
    one = torch.rand(3, 1, 8, 8)
    with pytest.raises(ValueError, match="alike"):
        rows_page({"a": one, "b": one[:2]}, tmp_path / "a.png")
    with pytest.raises(ValueError, match="3 columns"):
        rows_page({"a": one}, tmp_path / "a.png", ["x"])
