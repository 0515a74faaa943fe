"""The few images that are watched while a model learns to turn them upright."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from diffstn.figures.pose_panel import pose_panel
from diffstn.spatial import Affine, as_matrix, decompose
from diffstn.tasks.batches import first_of_each_class

ANGLES = 48
"""Hypotheses of a rose."""


def watched(data: Any, count: int) -> Callable[[Any, Path], Path]:
    """Draws the same validation images, one of each class in turn, for a model in evaluation mode.

    The hypotheses have the same latents every time. Of models whose poses are affine and a matter
    of chance the figure has roses.

    Args:
        data: loaded when it is called for the first time.
        count: of images.
    """

    def draw(model: Any, path: Path) -> Path:
        classes = len(data.facts.classes)
        rows = first_of_each_class(data, "val", -(-count // classes))
        rows = rows[torch.arange(len(rows)) % max(1, len(rows) // count) == 0][:count]
        batch = data.batch("val", rows, model.device)
        generator = torch.Generator().manual_seed(0)
        first = model(batch.image, 1, generator=generator)
        angles = true_angles = None
        if isinstance(getattr(model, "transformation", None), Affine):
            generator = torch.Generator().manual_seed(0)
            latents = model.sample_latents(len(rows), ANGLES, generator)
            if latents.shape[-1]:
                poses = model.poses(batch.image, latents.to(model.device), generator)
                angles = decompose(as_matrix(poses.float())).rotation
                true_angles = decompose(as_matrix(batch.A.float())).rotation
        corrected = first.images[:, 0].float()
        return pose_panel(
            batch.image, corrected, batch.upright, path, angles=angles, true_angles=true_angles
        )

    return draw
