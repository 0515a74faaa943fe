from pathlib import Path

import pytest
import torch
from PIL import Image

from diffstn.figures.class_map import class_map


def test_real_points_stand_beside_generated_ones(tmp_path: Path):
    points = torch.randn(60, 2)
    labels, generated = torch.arange(60) % 3, torch.arange(60) >= 30
    path = class_map(points, labels, generated, ["a", "b", "c"], tmp_path / "new" / "map.png")
    with Image.open(path) as page:
        assert page.width == pytest.approx(2 * page.height, rel=0.05)
        assert len(page.convert("RGB").getcolors(10**6) or []) > 20
    with pytest.raises(ValueError, match="points"):
        class_map(points, labels[:3], generated, ["a"], tmp_path / "no.png")
