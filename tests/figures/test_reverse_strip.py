import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.figures.reverse_strip import CAPTION, reverse_strip
from diffstn.figures.sheet import text_width
from diffstn.figures.style import INK, TILE


def left(symbol, scale=3):
    return text_width(symbol, 7 * scale) + 6 * scale


def letters(width, scale=3):
    """Height of the caption on a page so wide."""
    size = 6 * scale
    while size > 7 and text_width(CAPTION, size) > width - 4 * scale:
        size -= 1
    return size


def test_size_follows_from_columns_and_rows(tmp_path):
    path = reverse_strip(torch.rand(30, 4, 1, 8, 8), tmp_path / "x" / "s.png", columns=6)
    cell, gap = 8 * 3 + 6, 6
    top, foot = 7 * 3 + 3 * gap, letters(left("step") + 6 * cell) + 2 * gap
    assert Image.open(path).size == (left("step") + 6 * cell, top + 4 * cell + foot)


def test_it_says_that_it_shows_estimates(tmp_path):
    """Below the images, in letters that a narrow page makes smaller, and never cuts."""
    for number, columns in ((1, 1), (1, 6)):
        path = reverse_strip(torch.rand(9, number, 1, 8, 8), tmp_path / "s.png", columns=columns)
        page = np.asarray(Image.open(path).convert("L"))
        foot = page[7 * 3 + 3 * 6 + 30 :]
        ink = np.flatnonzero((foot < 200).any(0))
        assert ink.min() < 6 + 4
        assert ink.max() < page.shape[1] - 4


def test_a_short_trajectory_is_shown_whole(tmp_path):
    path = reverse_strip(torch.rand(3, 1, 3, 8, 8), tmp_path / "s.png", columns=10)
    needed = text_width(CAPTION, letters(0)) + 12
    assert Image.open(path).width == max(left("step") + 3 * (8 * 3 + 6), needed)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_the_last_estimate_is_always_there_and_the_first_unless_alone(tmp_path, columns):
    estimates = torch.zeros(21, 1, 1, 8, 8)
    estimates[-1] = 1
    estimates[0] = 1
    estimates[0, ..., :4] = 0  # the first is half dark, the last wholly
    timesteps = torch.linspace(1000, 0, 21).long()
    path = reverse_strip(estimates, tmp_path / "s.png", timesteps=timesteps, columns=columns)
    page = np.asarray(Image.open(path))
    row = page[7 * 3 + 3 * 6 + 4]
    cell, start = 8 * 3 + 6, left("t =")
    last = row[start + (columns - 1) * cell :][:24]
    assert (last == INK).all()
    if columns > 1:
        first = row[start:][:24]
        assert (first[:12] == TILE).all()
        assert (first[12:] == INK).all()


def test_what_does_not_fit_is_refused(tmp_path):
    estimates, path = torch.rand(5, 2, 1, 8, 8), tmp_path / "s.png"
    for bad, options, message in [
        (estimates[0], {}, r"estimates must be .*\(steps,N,C,H,W\)"),
        (estimates.expand(5, 2, 2, 8, 8), {}, "C = 2"),
        (estimates, {"timesteps": torch.arange(4)}, r"timesteps must have shape \(5,\)"),
        (estimates, {"columns": 0}, "columns"),
    ]:
        with pytest.raises(ValueError, match=message):
            reverse_strip(bad, path, **options)
