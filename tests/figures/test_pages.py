import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.figures.pages import correction_page
from diffstn.figures.style import WRONG


def images(number=20, channels=1, size=8):
    return torch.rand(number, channels, size, size, generator=torch.Generator().manual_seed(0))


def plotted(path, *, predictions=None, channels=1, **options):
    labels = torch.arange(20) % 10
    x = images(channels=channels)
    predictions = labels if predictions is None else predictions
    return correction_page(x, x, x, labels, predictions, path, **options)


def vermillion(path):
    return (np.asarray(Image.open(path).convert("RGB")) == WRONG).all(-1)


def test_size_grows_by_whole_tiles(tmp_path):
    small = Image.open(plotted(tmp_path / "a.png", examples=8, scale=2)).size
    wide = Image.open(plotted(tmp_path / "b.png", examples=9, scale=2)).size
    tile_and_gap = 8 * 2 + 2 * 2
    assert wide[0] - small[0] == 5 * tile_and_gap  # one more example in each of five blocks
    assert wide[1] == small[1]
    tall = Image.open(plotted(tmp_path / "c.png", examples=8, scale=2, blocks_per_row=1)).size
    assert tall[1] > 4 * small[1]


def test_only_wrong_predictions_are_coloured(tmp_path):
    labels = torch.arange(20) % 10
    assert not vermillion(plotted(tmp_path / "right.png")).any()
    one = labels.clone()
    one[3] = 7
    two = one.clone()
    two[14] = 0
    marks = [
        vermillion(plotted(tmp_path / f"{i}.png", predictions=p)) for i, p in enumerate((one, two))
    ]
    assert marks[0].any()
    assert marks[0].shape == marks[1].shape
    assert marks[1].sum() > 1.3 * marks[0].sum()


def test_the_mark_frames_the_wrong_image(tmp_path):
    labels, x = torch.tensor([0, 0, 0]), torch.zeros(3, 1, 8, 8)
    said = torch.tensor([0, 1, 0])
    path = correction_page(x, x, x, labels, said, tmp_path / "p.png", examples=3, scale=4)
    marks = vermillion(path)
    # The frame around the second tile is 8 * 4 pixels and a line of 2 on either side wide.
    runs = [np.flatnonzero(row) for row in marks]
    widths = {run[-1] - run[0] + 1 for run in runs if len(run) > 30}
    assert 8 * 4 + 2 * 2 in widths


def test_images_beyond_the_shown_examples_do_not_count(tmp_path):
    predictions = torch.arange(20) % 10
    predictions[10] = 5  # the second 0
    assert not vermillion(plotted(tmp_path / "p.png", predictions=predictions, examples=1)).any()


def test_colour_larger_canvas_and_named_classes(tmp_path):
    labels = torch.tensor([0, 1, 1])
    corrected = images(3, 3, 8)
    path = correction_page(
        images(3, 3, 12),
        corrected,
        corrected,
        labels,
        labels.flip(0),
        tmp_path / "p.png",
        classes=("airplane", "automobile"),
        examples=2,
    )
    assert path.is_file()
    assert vermillion(path).any()


def test_a_missing_class_is_left_out(tmp_path):
    x, two = images(2), torch.tensor([2, 7])
    all_ten = Image.open(plotted(tmp_path / "a.png", examples=1, blocks_per_row=1))
    only_two = Image.open(
        correction_page(x, x, x, two, two, tmp_path / "b.png", examples=1, blocks_per_row=1)
    )
    assert only_two.height < all_ten.height / 3


def test_what_does_not_fit_is_refused(tmp_path):
    x, labels, path = images(4), torch.arange(4), tmp_path / "p.png"
    cases = [
        ((x, x[:3], x, labels, labels), {}, "corrected must hold as many"),
        ((x[0], x, x, labels, labels), {}, r"distorted must be .*\(N,C,H,W\)"),
        ((images(4, 2), x, x, labels, labels), {}, "C = 2"),
        ((x, x, x, labels[:2], labels), {}, r"labels must have shape \(4,\)"),
        ((x, x, x, labels, labels.float()), {}, "predictions must be integers"),
        ((x, x, x, labels, labels + 9), {}, "predictions must be integers from 0 to 9"),
        ((x, x, x, labels, labels), {"examples": 0}, "at least 1"),
        ((x, x, x, labels, labels), {"scale": 0}, "scale"),
    ]
    for arguments, options, message in cases:
        with pytest.raises(ValueError, match=message):
            correction_page(*arguments, path, **options)
    assert not path.exists()
