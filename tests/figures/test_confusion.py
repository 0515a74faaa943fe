"""The page of confusions."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffstn.figures.confusion import CELL, confusion_page, confusions, plot_confusions
from diffstn.figures.style import BLUE, PAPER, WRONG

ROWS = [[90, 10, 0], [0, 100, 0], [5, 0, 95]]


def cells(path: Path, count: int) -> np.ndarray:
    """The colour in a corner of each cell."""
    page = np.asarray(Image.open(path)).astype(int)
    blue = np.abs(page - BLUE).sum(-1) == 0  # a row without a mistake
    y, x = np.argwhere(blue)[0]
    first_y, first_x = y - CELL, x - CELL
    steps = np.arange(count) * CELL
    return page[first_y + steps[:, None] + 2, first_x + steps[None] + 2]


def test_right_ones_are_blue_mistakes_vermillion_and_nothing_is_paper(tmp_path: Path):
    found = cells(confusion_page(ROWS, "abc", tmp_path / "page.png"), 3)
    assert tuple(found[1, 1]) == BLUE
    assert tuple(found[0, 1]) == WRONG  # the largest share of mistakes
    assert all(tuple(found[i, j]) == PAPER for i, j in ((0, 2), (1, 0), (1, 2), (2, 1)))
    red, _, blue = found[2, 0]
    assert red > blue  # half as large: lighter
    assert sum(found[2, 0]) > sum(WRONG)


def test_many_classes_with_long_names_fit(tmp_path: Path):
    rows = np.eye(60, dtype=int).tolist()
    names = [f"class number {i}" for i in range(60)]
    page = Image.open(confusion_page(rows, names, tmp_path / "page.png"))
    assert 900 < page.width < 1300
    assert 900 < page.height < 1300


def test_metrics_without_confusions_have_no_page(tmp_path: Path):
    assert plot_confusions({"numbers": {}}, tmp_path) == []
    table = {"classes": list("abc"), "rows": ROWS}
    [(name, path)] = plot_confusions({"confusion": table}, tmp_path)
    assert (name, path) == ("confusion", tmp_path / "confusion.png")
    assert confusions({"k": {"1": {}, "4": {"confusion": table}}}) == table
    with pytest.raises(ValueError, match="3 rows of 3"):
        confusion_page(ROWS[:2], "abc", tmp_path / "page.png")
