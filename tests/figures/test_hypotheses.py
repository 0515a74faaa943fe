import math

import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.figures.hypotheses import hypotheses_page, plot_rose
from diffstn.figures.style import BLUE, INK


def arguments(number=2, count=3, channels=1):
    return {
        "distorted": torch.rand(number, channels, 8, 8),
        "hypotheses": torch.rand(number, count, channels, 8, 8),
        "probabilities": torch.rand(number, count),
        "angles": torch.randn(number, 50),
        "true_angles": torch.zeros(number),
    }


@pytest.mark.parametrize("channels", [1, 3])
def test_a_row_for_every_image(tmp_path, channels):
    sizes = []
    for number in (1, 2, 3):
        page = arguments(number, channels=channels)
        said = torch.zeros(number, 3, dtype=torch.long)
        path = hypotheses_page(**page, path=tmp_path / "new" / "h.png", predictions=said)
        sizes.append(Image.open(path).size)
    assert len({width for width, _ in sizes}) == 1
    assert sizes[2][1] - sizes[1][1] == sizes[1][1] - sizes[0][1] > 8 * 4


def test_the_most_probable_comes_first(tmp_path):
    page = arguments(1)
    page["hypotheses"] = torch.zeros(1, 3, 1, 8, 8)
    page["hypotheses"][0, 2] = 1
    positions = []
    for probabilities in ([0.1, 0.2, 0.9], [0.9, 0.2, 0.1]):
        page["probabilities"] = torch.tensor([probabilities])
        page["distorted"] = torch.zeros(1, 1, 8, 8)
        path = hypotheses_page(**page, path=tmp_path / "h.png")
        pixels = np.asarray(Image.open(path).convert("RGB"))
        dark = (pixels == INK).all(-1).sum(0)
        positions.append(np.flatnonzero(dark >= 30).min())
    assert positions[1] - positions[0] == 2 * (8 * 4 + 3 * 4)


@pytest.mark.parametrize(
    ("angle", "direction"),
    [(0.0, (0, -1)), (math.pi / 2, (1, 0)), (math.pi, (0, 1)), (-math.pi / 2, (-1, 0))],
)
def test_petals_point_to_the_top_of_the_turned_digit(tmp_path, angle, direction):
    """With y down, the rotation by phi sends the top (0, -1) to (sin phi, -cos phi)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 2), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1), projection="polar")
    plot_rose(axes, torch.full((20,), angle + 2 * math.pi + 0.01), angle, bins=36)
    figure.savefig(tmp_path / "r.png", dpi=100)
    pixels = np.asarray(Image.open(tmp_path / "r.png").convert("RGB")).astype(int)
    blue = np.argwhere(np.abs(pixels - np.array(BLUE)).sum(-1) < 30)
    y, x = blue.mean(0) - 100
    assert math.cos(math.radians(15)) < (x * direction[0] + y * direction[1]) / math.hypot(x, y)


def test_the_area_of_a_petal_is_its_count():
    from matplotlib.figure import Figure

    axes = Figure().add_axes((0, 0, 1, 1), projection="polar")
    plot_rose(axes, torch.tensor([0.1] * 40 + [math.pi / 2 + 0.1] * 10), 0.0, bins=36)
    heights = sorted(bar.get_height() for bar in axes.patches if bar.get_height() > 0)
    assert heights == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("distorted", torch.rand(3, 1, 8, 8), "distorted must hold 2 images"),
        ("distorted", torch.rand(2, 8, 8), r"distorted must be .*\(N,C,H,W\)"),
        ("hypotheses", torch.rand(2, 3, 2, 8, 8), "C = 2"),
        ("probabilities", torch.rand(2, 4), r"probabilities must have shape \(2, 3\)"),
        ("probabilities", 5 * torch.ones(2, 3), "apply softmax"),
        ("angles", torch.rand(3, 50), "angles must have shape"),
        ("angles", torch.rand(2, 0), "angles must have shape"),
        ("true_angles", torch.rand(2, 1), "true_angles must have shape"),
        ("predictions", torch.zeros(2), "predictions must have shape"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, name, value, message):
    with pytest.raises(ValueError, match=message):
        hypotheses_page(**{**arguments(), name: value}, path=tmp_path / "h.png")
