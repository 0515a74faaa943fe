"""What a model makes at each validation, an image a step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from diffstn.figures.tiles import tiles


def step_images(images: Mapping[int, Tensor], folder: str | os.PathLike[str]) -> Path:
    """Write each image as ``<step>.png``, of eight digits, and remove what else lies there.

    Every file is written aside and renamed, so that no reader sees half of one.

    Args:
        images: (C, H, W) in [0, 1], by step.
        folder: of these images alone.

    Returns:
        ``folder``.
    """
    from PIL import Image

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"{step:08d}.png": image for step, image in images.items()}
    for name, image in named.items():
        draft = folder / f"{name}.part"
        Image.fromarray(tiles(image)).save(draft, "png")
        draft.replace(folder / name)
    for path in folder.glob("*.png*"):
        if path.name not in named:
            path.unlink()
    return folder
