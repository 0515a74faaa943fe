import numpy as np
from PIL import Image

from diffstn.figures.sheet import Sheet, font, text_width
from diffstn.figures.style import BLUE, INK, PAPER, PLOT, WRONG


def test_a_tile_lies_where_it_was_put():
    sheet = Sheet(20, 10)
    sheet.tile(np.zeros((3, 4, 3), np.uint8), 5, 2)
    black = np.argwhere((np.asarray(sheet.image) == 0).all(-1))
    assert black.min(0).tolist() == [2, 5]
    assert black.max(0).tolist() == [4, 8]


def test_a_bar_covers_its_pixels_only():
    sheet = Sheet(20, 10)
    sheet.bar(3, 1, 6, 2, BLUE)
    sheet.bar(3, 6, 0, 2, BLUE)
    assert (np.asarray(sheet.image) == BLUE).all(-1).sum() == 12


def test_the_mark_of_an_error_hides_no_pixel_of_the_tile():
    sheet = Sheet(100, 100)
    sheet.tile(np.full((40, 40, 3), INK, np.uint8), 30, 20)
    sheet.mark_wrong(30, 20, 40, 40, line=2, label="automobile", size=20)
    page = np.asarray(sheet.image)
    assert (page[20:60, 30:70] == INK).all()
    assert (page[18:20, 28:72] == WRONG).all()
    assert (page[20:60, 28:30] == WRONG).all()
    strip = page[60:80, 28:72].reshape(-1, 3)
    assert (strip == WRONG).all(-1).any()
    assert (strip != WRONG).any(-1).any(), "the label is missing"
    assert (page[:, :28] == PAPER).all()
    assert (page[:, 72:] == PAPER).all()


def test_text_is_as_wide_as_measured():
    sheet = Sheet(300, 40)
    sheet.text("distorted", 10, 20, 24)
    columns = np.flatnonzero((np.asarray(sheet.image) != PAPER).any((0, 2)))
    assert 10 <= columns.min() <= 13
    assert abs(columns.max() - (10 + text_width("distorted", 24))) <= 3


def test_pages_and_plots_are_set_in_one_font():
    assert font(20).getname()[0] == PLOT["font.family"] == "DejaVu Sans"
    assert font(20) is font(20)
    for letter in "x̂₀ₜ°·":
        assert font(20).getmask(letter).getbbox() != font(20).getmask("\uffff").getbbox(), letter


def test_saving_makes_the_folder(tmp_path):
    path = Sheet(7, 5).save(tmp_path / "a" / "b" / "page.png")
    assert path == tmp_path / "a" / "b" / "page.png"
    assert Image.open(path).size == (7, 5)
