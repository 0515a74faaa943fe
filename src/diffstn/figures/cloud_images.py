"""Point clouds as grey images."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

FINE = 3
"""Plotted so many times larger and shrunk, which smooths the dots' edges."""
FAINTEST = 0.35
"""Ink of the points farthest from the eye."""


def view(clouds: Tensor, azimuth: float = 35.0, elevation: float = 25.0) -> tuple[Tensor, Tensor]:
    """Where clouds (A, N, 3) appear on the paper, (A, N, 2) with y up, and how near, (A, N).

    An orthographic view from so many degrees around the vertical axis z and above the ground.
    """
    a, e = math.radians(azimuth), math.radians(elevation)
    right = clouds.new_tensor([-math.sin(a), math.cos(a), 0])
    up = clouds.new_tensor([-math.cos(a) * math.sin(e), -math.sin(a) * math.sin(e), math.cos(e)])
    towards = clouds.new_tensor([math.cos(a) * math.cos(e), math.sin(a) * math.cos(e), math.sin(e)])
    across, high, near = ((clouds * axis).sum(-1) for axis in (right, up, towards))
    return torch.stack([across, high], dim=-1), near


def cloud_images(clouds: Tensor, side: int = 120, reach: float = 1.1, dot: float = 1.0) -> Tensor:
    """Plot clouds (A, N, D), D = 2 or 3, over [−reach, reach]^D: (A, 1, side, side) in [0, 1].

    The first coordinate runs to the right, the second upwards; clouds in space are seen from
    above at an angle, far points fainter. Points outside are left out.

    Args:
        clouds: finite coordinates.
        side: of an image in pixels.
        reach: half the side of what is shown.
        dot: radius of a point in pixels.

    Raises:
        ValueError: the clouds are neither in the plane nor in space.
    """
    if clouds.ndim != 3 or clouds.shape[2] not in (2, 3):
        raise ValueError(
            f"clouds to plot are (A, N, 2) or (A, N, 3), not {tuple(clouds.shape)}: choose two or"
            " three coordinates"
        )
    clouds = clouds.detach().float().cpu()
    ink = torch.ones(clouds.shape[:2])
    if clouds.shape[2] == 3:
        clouds, near = view(clouds)
        depth = ((near / reach + 1) / 2).clamp(0, 1)
        ink = FAINTEST + (1 - FAINTEST) * depth
    large = side * FINE
    spot = max(1, round(dot * FINE))
    offsets = torch.cartesian_prod(*[torch.arange(-spot, spot + 1)] * 2)
    offsets = offsets[offsets.square().sum(dim=1) <= spot**2]
    xy = ((clouds * clouds.new_tensor([1, -1]) / reach + 1) / 2 * large).floor().long()
    x, y = (xy[:, :, None] + offsets).unbind(-1)  # (A, N, dots)
    inside = (x >= 0) & (x < large) & (y >= 0) & (y < large)
    where = (y.clamp(0, large - 1) * large + x.clamp(0, large - 1)).flatten(1)
    shades = (ink[..., None] * inside).flatten(1)
    page = torch.zeros(len(clouds), large * large)
    page = page.scatter_reduce(1, where, shades, "amax").view(-1, 1, large, large)
    return F.avg_pool2d(page, FINE)
