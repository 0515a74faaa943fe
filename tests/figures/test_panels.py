"""A page of titled images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.figures.panels import panel_page


def test_images_stand_in_rows_under_their_titles(tmp_path: Path):
    images = torch.zeros(5, 1, 20, 30)
    images[4] = 1
    path = panel_page(images, tmp_path / "deep" / "page.png", list("abcde"), columns=3, least=0)
    page = np.asarray(Image.open(path).convert("L"))
    line = 22
    assert page.shape == (8 + 2 * (20 + line + 8), 8 + 3 * 38)
    x, y = 8 + 38, 8 + (20 + line + 8) + line  # the fifth image: second row, second column
    assert page[y : y + 20, x : x + 30].max() < 40
    assert page[8 + line : 8 + line + 20, 8:38].min() > 200
    assert (page[8 : 8 + line, 8:38] < 200).any()  # the title


def test_a_single_small_image_is_enlarged_and_a_wide_page_is_not(tmp_path: Path):
    small = Image.open(panel_page(torch.zeros(1, 1, 150, 150), tmp_path / "a.png", ["step 4"]))
    assert small.size == (8 + 3 * 150 + 8, 8 + 22 + 3 * 150 + 8)
    wide = Image.open(panel_page(torch.zeros(6, 1, 150, 150), tmp_path / "b.png"))
    assert wide.size == (8 + 6 * 158, 8 + 158)


def test_all_titles_have_the_size_of_the_longest_that_must_fit(tmp_path: Path):
    def ink(titles: list[str]) -> int:
        path = panel_page(torch.zeros(2, 1, 60, 60), tmp_path / "page.png", titles, least=0)
        first = np.asarray(Image.open(path).convert("L"))[8:30, 8:68]
        return int((first < 200).any(axis=1).sum())

    assert ink(["ab", "a longer title"]) < ink(["ab", "cd"])


def test_titles_must_be_as_many_as_images(tmp_path: Path):
    with pytest.raises(ValueError, match="2 images need as many titles, got 1"):
        panel_page(torch.zeros(2, 1, 8, 8), tmp_path / "page.png", ["one"])
