"""What a sampler of poses believes: several answers for one image, and how they spread."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffstn.figures.plotted import plotted
from diffstn.figures.style import BLUE, INK, MUTED, RULE, hexadecimal
from diffstn.figures.tiles import check_images, check_positive, tiles

DPI = 200


def plot_rose(axes: Any, angles: Tensor, true_angle: float, bins: int) -> None:
    """Fill polar axes with a circular histogram of angles (m,) in radians and the true one."""
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    turns = angles.detach().to("cpu", torch.float64)
    edges = np.linspace(-math.pi, math.pi, bins + 1)
    counts, _ = np.histogram(torch.atan2(turns.sin(), turns.cos()).numpy(), edges)
    petals = {"color": hexadecimal(BLUE), "edgecolor": "white", "linewidth": 0.4}
    axes.bar(edges[:-1], np.sqrt(counts / counts.max()), 2 * math.pi / bins, align="edge", **petals)
    axes.plot([true_angle, true_angle], [0, 1], "--", color=hexadecimal(INK), linewidth=1)
    axes.plot([true_angle], [1.02], "o", color=hexadecimal(INK), markersize=3.5)
    axes.set(ylim=(0, 1.12), yticks=[], xticks=[])
    axes.spines["polar"].set_color(hexadecimal(RULE))


def hypotheses_page(
    distorted: Tensor,
    hypotheses: Tensor,
    probabilities: Tensor,
    angles: Tensor,
    true_angles: Tensor,
    path: str | os.PathLike[str],
    *,
    predictions: Tensor | None = None,
    bins: int = 36,
    scale: int = 4,
) -> Path:
    """Plot, for a few images, their hypotheses and a rose of the sampled rotations.

    A row shows the distorted image; its k corrections, the surest reading first, each over its
    probability; and a circular histogram of rotation angles, whose petals point to where the
    digit's top points in the distorted image (0 is up; positive angles, as x runs right and y
    down, turn clockwise). The *area* of a petal is proportional to its count, so its length is to
    the square root. Two opposite petals are a digit that reads as well upside down.

    Args:
        distorted: Images (N, C, H, W) in [0, 1], C = 1 or 3.
        hypotheses: Corrected images (N, k, C, h, w) in [0, 1].
        probabilities: The judge's probability of each hypothesis (N, k), in [0, 1].
        angles: Sampled rotations (N, m) in radians; m need not be k.
        true_angles: The rotations (N,) in radians that distorted the images.
        path: The image to write; its suffix (png, svg, pdf) chooses the format.
        predictions: The class that the judge reads in each hypothesis, integers (N, k), if it is
            to be named.
        bins: Petals of the full circle.
        scale: Side in pixels of an image's pixel.

    Returns:
        ``path``.

    Raises:
        ValueError: If shapes, channels or ranges do not fit.
    """
    check_images(distorted, "distorted", "N,C,H,W")
    check_images(hypotheses, "hypotheses", "N,k,C,h,w")
    number, count = hypotheses.shape[:2]
    if len(distorted) != number:
        raise ValueError(
            f"distorted must hold {number} images as hypotheses does, got {len(distorted)}"
        )
    expected: dict[str, tuple[Tensor | None, tuple[int, ...]]] = {
        "probabilities": (probabilities, (number, count)),
        "angles": (angles, (number, angles.shape[-1] if angles.ndim else 0)),
        "true_angles": (true_angles, (number,)),
        "predictions": (predictions, (number, count)),
    }
    for name, (tensor, shape) in expected.items():
        if tensor is not None and (tuple(tensor.shape) != shape or 0 in shape):
            raise ValueError(f"{name} must have shape {shape}, got {tuple(tensor.shape)}")
    check_positive(bins=bins, scale=scale)
    if probabilities.min() < 0 or probabilities.max() > 1 + 1e-4:
        raise ValueError("probabilities must lie in [0, 1]: apply softmax to logits first")

    muted = hexadecimal(MUTED)
    order = probabilities.argsort(dim=1, descending=True, stable=True).cpu()
    given, made = tiles(distorted, scale), tiles(hypotheses, scale)
    first, tile = given.shape[1:3], made.shape[2:4]
    # All lengths are in image pixels times the scale; a row is as high as its rose.
    gap, margin, line = 3 * scale, 8 * scale, 9 * scale
    rose = max(first[0], tile[0] + line) + 2 * gap
    tiles_x = margin + max(first[1], 28 * scale) + margin
    tiles_width = max(count * (tile[1] + gap), 110 * scale)  # no narrower than its heading
    rose_x = tiles_x + tiles_width + margin
    width = rose_x + rose + margin
    height = 2 * line + number * (rose + gap) + 2 * line
    points = 72 / DPI * scale
    with plotted(path, (width / DPI, height / DPI), DPI, layout=None) as figure:
        page = figure.add_axes((0, 0, 1, 1), frameon=False)  # of all images: axes take long to make

        def box(x: float, y: float, w: float, h: float) -> tuple[float, float, float, float]:
            """Pixels from the upper left corner to the figure's own fractions."""
            return x / width, 1 - (y + h) / height, w / width, h / height

        def write(x: float, y: float, text: str, size: float = 6, across: str = "center") -> None:
            at = x / width, 1 - y / height
            figure.text(*at, text, ha=across, va="center", size=size * points, color=muted)

        def show(pixels: NDArray[np.uint8], x: float, y: float) -> None:
            extent = (x, x + pixels.shape[1], y + pixels.shape[0], y)
            page.imshow(pixels, interpolation="nearest", aspect="auto", extent=extent)

        write(margin + first[1] / 2, line, "distorted")
        write(tiles_x, line, "hypotheses, the surest reading first", across="left")
        write(rose_x + rose / 2, line, "rotation")
        for i in range(number):
            top = 2 * line + i * (rose + gap)
            tile_y = top + (rose - tile[0] - line) / 2
            show(given[i], margin, tile_y + (tile[0] - first[0]) / 2)
            for column, j in enumerate(order[i].tolist()):
                x = tiles_x + column * (tile[1] + gap)
                show(made[i, j], x, tile_y)
                said = "" if predictions is None else f"{int(predictions[i, j])} · "
                share = f"{100 * float(probabilities[i, j]):.0f}%"
                write(x + tile[1] / 2, tile_y + tile[0] + line / 2, said + share, 5)
            axes = figure.add_axes(box(rose_x, top, rose, rose), projection="polar")
            plot_rose(axes, angles[i], float(true_angles[i]), bins)
        legend = "where the top of the digit points:  petals, sampled;  dashed, true"
        write(width - margin, height - line, legend, 5, "right")
        page.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    return Path(path)
