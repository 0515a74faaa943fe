"""From tensors of images to the tiles that go on a page."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffstn.figures.style import INK, TILE


def check_images(images: Tensor, name: str, shape: str) -> None:
    """Refuse what cannot be shown.

    Args:
        images: The tensor to look at, of any float type, in [0, 1].
        name: What the caller calls it; the message starts with it.
        shape: The axes it must have, such as ``"N,C,H,W"``; the third from the right is C.

    Raises:
        ValueError: If an axis is missing or empty, C is neither 1 nor 3, or the type is an integer.
    """
    axes = shape.split(",")
    if images.ndim != len(axes) or 0 in images.shape:
        raise ValueError(
            f"{name} must be a non-empty tensor of shape ({shape}), got {tuple(images.shape)}"
        )
    if images.shape[-3] not in (1, 3):
        raise ValueError(
            f"{name} must have 1 channel (grey) or 3 (colour), got C = {images.shape[-3]}: "
            "choose the channels to show"
        )
    if not images.is_floating_point():
        raise ValueError(f"{name} must be floats in [0, 1], got {images.dtype}: divide by 255")


def check_positive(**counts: int) -> None:
    """Refuse counts below 1, by the names they are passed under."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be an integer of at least 1, got {count}")


def tiles(images: Tensor, scale: int = 1) -> NDArray[np.uint8]:
    """Images as RGB bytes, every pixel a ``scale`` x ``scale`` square.

    Grey images become ink on paper: intensity ``v`` becomes ``(1 - v) TILE + v INK``, so
    MNIST's white strokes come out dark. Colour images keep their colours. Values outside [0, 1]
    are clamped and non-finite ones shown as 0.

    Args:
        images: (..., C, H, W) in [0, 1], with C = 1 or 3, on any device.
        scale: Side of a pixel, at least 1.

    Returns:
        Bytes (..., scale H, scale W, 3).

    Raises:
        ValueError: If ``scale`` is less than 1.
    """
    check_positive(scale=scale)
    values = images.detach().to("cpu", torch.float32)
    values = values.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).clamp(0, 1).movedim(-3, -1)
    if values.shape[-1] == 1:
        paper, ink = torch.tensor(TILE), torch.tensor(INK)
        rgb = paper + values * (ink - paper)
    else:
        rgb = 255 * values
    pixels = rgb.round().to(torch.uint8)
    return pixels.repeat_interleave(scale, -3).repeat_interleave(scale, -2).numpy()
