"""The figure of images, corrections and poses."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.figures.pose_panel import ROSE, pose_panel, rose
from diffstn.figures.style import BLUE


def test_petals_point_where_the_angles_do():
    pixels = rose(torch.full((20,), math.pi / 2 + 0.05), 0.0).astype(int)  # a quarter clockwise
    blue = np.argwhere(np.abs(pixels - BLUE).sum(-1) < 60)
    assert (blue[:, 1] > ROSE // 2 - 2).all()
    assert abs(blue[:, 0].mean() - ROSE / 2) < 6


def test_a_column_for_each_image(tmp_path: Path):
    big, small = torch.rand(4, 1, 42, 42), torch.rand(4, 1, 28, 28)
    without = Image.open(pose_panel(big, small, small, tmp_path / "deep" / "a.png"))
    angles = torch.zeros(4, 9)
    path = pose_panel(
        big, small, small, tmp_path / "b.png", angles=angles, true_angles=torch.zeros(4)
    )
    assert Image.open(path).width == without.width
    assert Image.open(path).height > without.height + ROSE
    colour = torch.rand(4, 3, 28, 28)
    assert Image.open(pose_panel(colour, colour, colour, tmp_path / "c.png")).mode == "RGB"
    with pytest.raises(ValueError, match="upright must hold 4"):
        pose_panel(big, small, small[:3], tmp_path / "d.png")
