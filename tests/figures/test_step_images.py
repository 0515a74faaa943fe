"""Images of validations one by one."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from diffstn.figures.evenly import evenly
from diffstn.figures.step_images import step_images
from diffstn.figures.tiles import tiles


def test_few_are_all_kept_and_many_evenly():
    assert evenly(3) == [0, 1, 2]
    many = evenly(1000)
    assert (len(many), many[0], many[-1]) == (24, 0, 999)
    assert set(np.diff(many)) <= {43, 44}


def test_a_folder_holds_the_images_of_its_steps_and_no_others(tmp_path: Path):
    images = {step: torch.rand(1, 6, 9) for step in (8, 16)}
    folder = step_images(images, tmp_path / "steps" / "samples")
    (folder / "00000012.png.part").touch()  # of a process that was killed
    step_images({16: images[16], 24: images[8]}, folder)
    assert {path.name for path in folder.iterdir()} == {"00000016.png", "00000024.png"}
    pixels = np.asarray(Image.open(folder / "00000016.png"))
    assert (pixels == tiles(images[16])).all()
