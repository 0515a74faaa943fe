"""Samples as files that other programs read."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.data.labelled import Labelled
from diffstn.errors import UserError
from diffstn.store.saved import sampled_in, saved


def images(channels: int) -> Labelled:
    values = torch.linspace(-0.1, 1.1, 2 * channels * 12).view(2, channels, 3, 4)
    return Labelled(values, torch.tensor([7, 0]))


@pytest.mark.parametrize("channels", [1, 3])
def test_images_come_back_byte_by_byte_from_either_form(tmp_path: Path, channels: int):
    items = images(channels)
    expected = (items.items.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    with np.load(saved(items, tmp_path / "new", "npz")) as kept:
        assert kept["items"].dtype == np.uint8
        assert (kept["items"] == expected).all()
        assert kept["labels"].tolist() == [7, 0]
    folder = saved(items, tmp_path / "new", "png")
    assert sorted(path.name for path in folder.iterdir()) == ["00000-7.png", "00001-0.png"]
    pixels = np.asarray(Image.open(folder / "00000-7.png"))
    assert (pixels.reshape(3, 4, channels).transpose(2, 0, 1) == expected[0]).all()


def test_points_are_numbers_and_no_images_and_not_all_have_labels(tmp_path: Path):
    points = Labelled(torch.randn(5, 2), torch.zeros(5).long())
    unlabelled = images(1)._replace(labels=torch.full((2,), -1))
    folder = saved(unlabelled, tmp_path / "new", "png")
    assert sorted(path.name for path in folder.iterdir()) == ["00000.png", "00001.png"]
    with np.load(saved(points, tmp_path, "npz")) as kept:
        assert (kept["items"] == points.items.numpy()).all()
    with pytest.raises(UserError, match="save=png is for images, and these are points: save=npz"):
        saved(points, tmp_path, "png")


def test_samples_replace_those_of_the_same_run_alone(tmp_path: Path):
    folder = tmp_path / "out"
    for _ in range(2):
        assert sampled_in(folder, "runs/a") == folder
        (folder / "corrected.png").write_text("x")
    with pytest.raises(UserError, match="holds samples of another run"):
        sampled_in(folder, "runs/b")
    (folder / "sample.json").write_text("[")
    with pytest.raises(UserError, match="is no folder of samples"):
        sampled_in(folder, "runs/a")
    (folder / "sample.json").unlink()
    with pytest.raises(UserError, match="holds what no sampling wrote"):
        sampled_in(folder, "runs/a")
    with pytest.raises(UserError, match="choose another out="):
        sampled_in(folder / "corrected.png", "runs/a")
