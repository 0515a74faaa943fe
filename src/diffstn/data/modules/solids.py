"""Clouds of points on the surfaces of random spheres, boxes and tori."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.data.labelled import Labelled
from diffstn.data.modules.drawn_clouds import DrawnClouds, between
from diffstn.errors import UserError

KINDS = ("sphere", "box", "torus")


def sphere(n: int, points: int, generator: Generator | None) -> Tensor:
    """Unit spheres, uniform by area: (n, points, 3)."""
    x = torch.randn(n, points, 3, generator=generator)
    return x / x.norm(dim=-1, keepdim=True)


def box(n: int, points: int, generator: Generator | None) -> Tensor:
    """Boxes of random proportions with a diagonal of 2, uniform by area: (n, points, 3)."""
    half = between((0.4, 1.0), 3 * n, generator).view(n, 3)
    half = half / half.norm(dim=1, keepdim=True)
    areas = half.prod(dim=1, keepdim=True) / half  # of the faces across each axis, up to a factor
    axis = torch.multinomial(areas, points, replacement=True, generator=generator)
    x = torch.rand(n, points, 3, generator=generator) * 2 - 1
    side = torch.randint(2, (n, points, 1), generator=generator) * 2.0 - 1
    return x.scatter(-1, axis[..., None], side) * half[:, None]


def torus(n: int, points: int, generator: Generator | None) -> Tensor:
    """Tori of random thickness within the unit sphere, uniform by area: (n, points, 3).

    The area between the angles 0 and θ around the tube is proportional to θ + (r/R) sin θ, which a
    few steps of Newton's method invert.
    """
    ratio = between((0.25, 0.5), n, generator)[:, None]
    major = 1 / (1 + ratio)
    target = torch.rand(n, points, generator=generator) * (2 * math.pi)
    theta = target.clone()
    for _ in range(20):
        theta = theta - (theta + ratio * theta.sin() - target) / (1 + ratio * theta.cos())
    phi = torch.rand(n, points, generator=generator) * (2 * math.pi)
    ring = major * (1 + ratio * theta.cos())
    return torch.stack([ring * phi.cos(), ring * phi.sin(), major * ratio * theta.sin()], dim=-1)


def random_rotations(n: int, generator: Generator | None) -> Tensor:
    """(n, 3, 3) rotations, uniform on SO(3), from unit quaternions."""
    q = torch.randn(n, 4, generator=generator)
    w, x, y, z = (q / q.norm(dim=1, keepdim=True)).unbind(1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, dim=1).view(n, 3, 3)


SURFACES = {"sphere": sphere, "box": box, "torus": torus}


class Solids(DrawnClouds):
    """Spheres, boxes and tori of random size, proportions and rotation; the label says which.

    Args:
        kinds: which of them.
        radius: range of the radius of the sphere around them.
        noise: standard deviation of the points around the surface, in all coordinates.
        options: as for `DrawnClouds`.

    Raises:
        UserError: an unknown kind, or a number out of range.
    """

    dim = 3

    def __init__(
        self,
        kinds: Sequence[str] = KINDS,
        radius: tuple[float, float] = (0.7, 1.0),
        noise: float = 0.01,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        unknown = [kind for kind in kinds if kind not in SURFACES]
        if unknown or not kinds:
            raise UserError(f"kinds of solids are {', '.join(KINDS)}; not {unknown or 'none'}")
        if not 0 < radius[0] <= radius[1] or noise < 0:
            raise UserError(
                f"radius is (smallest, largest), positive, and noise at least 0; not"
                f" {tuple(radius)} and {noise}"
            )
        self.classes = list(kinds)
        self.radius, self.noise = radius, noise

    def draw(self, n: int, points: int, generator: Generator | None = None) -> Labelled:
        label = torch.randint(len(self.classes), (n,), generator=generator)
        clouds = torch.empty(n, points, 3)
        for index, kind in enumerate(self.classes):
            mine = (label == index).nonzero()[:, 0]
            if len(mine):
                clouds[mine] = SURFACES[kind](len(mine), points, generator)
        clouds = (
            clouds
            @ random_rotations(n, generator)
            * between(self.radius, n, generator)[:, None, None]
        )
        clouds += self.noise * torch.randn(n, points, 3, generator=generator)
        return Labelled(clouds, label)
