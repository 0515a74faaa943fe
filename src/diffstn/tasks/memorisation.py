"""Whether samples repeat training images."""

import torch
from torch import Tensor

from diffstn.tasks.image_figures import COLUMNS, ImageFigures
from diffstn.tasks.task import Figure

LOOKED_AT = 60
"""Samples, and as many test images beside them."""
MOST = 100_000
"""Training images that are searched."""
AT_ONCE = 5000


def nearest(images: Tensor, data: object, most: int = MOST) -> tuple[Tensor, Tensor]:
    r"""The nearest training image to each of some images (A, C, H, W).

    Distances are $\|a - b\|$ over all pixels in [0, 1]; all are found by matrix products,
    $\|a\|^2 + \|b\|^2 - 2 a^\top b$.

    Args:
        data: a data module; its first `most` training images are searched.

    Returns:
        Distances (A,), and the images (A, C, H, W).
    """
    count, device = min(data.count("train"), most), images.device  # type: ignore[attr-defined]
    a = images.flatten(1).float()
    best = a.new_full((len(a),), torch.inf)
    found = torch.zeros_like(images, dtype=torch.float32)
    with torch.autocast(device.type, enabled=False):
        for rows in torch.arange(count).split(AT_ONCE):
            there = data.batch("train", rows, device).image.float()  # type: ignore[attr-defined]
            b = there.flatten(1)
            squares = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
            gap, which = squares.min(1)
            nearer = gap < best
            best = torch.where(nearer, gap, best)
            found[nearer] = there[which[nearer]]
    return best.clamp_min(0).sqrt(), found


def memorisation(shown: ImageFigures) -> Figure:
    """Samples and test images, those nearest to a training image first, with that one below them.

    Test images were never trained on. A model whose samples lie nearer to the training images than
    these do repeats what it has seen.
    """
    model, data = shown.model, shown.data
    noise = torch.randn((LOOKED_AT, *shown.item), generator=shown.generator)
    label = shown.label[torch.arange(LOOKED_AT) % len(shown.label)] if model.hears_label else None
    rows = torch.arange(min(LOOKED_AT, data.count("test")))
    sets = {
        "samples": model.generate(noise, label, shown.generator),
        "test images": data.batch("test", rows, model.device).image,
    }
    blocks, titles = [], []
    for name, images in sets.items():
        distance, near = nearest(images, data)
        order = distance.argsort()[torch.arange(COLUMNS) % len(distance)]
        blocks.append(torch.cat([images[order].float(), near[order]]).cpu())
        least, last, median = distance.min(), distance[order].max(), distance.median()
        titles.append(
            f"{name}, the nearest training image below: distance {float(least):.2f} to"
            f" {float(last):.2f}, median of {len(distance)} {float(median):.2f}"
        )
    return shown.page("memorisation", torch.stack(blocks), titles, COLUMNS)
