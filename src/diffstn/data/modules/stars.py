"""Clouds of points along the outlines of random stars."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator

from diffstn.data.labelled import Labelled
from diffstn.data.modules.drawn_clouds import DrawnClouds, between
from diffstn.errors import UserError


class Stars(DrawnClouds):
    """Regular stars of random arms, waist, rotation and size; the label says how many arms.

    A star of p arms has 2p corners, alternately at radius R and at R · waist. Its 2p edges are of
    equal length, so points uniform along the outline take any edge with the same probability.

    Args:
        arms: (fewest, most).
        waist: range of the inner radius, relative to the outer.
        radius: range of the outer radius R.
        rotation: largest turn either way, degrees.
        noise: standard deviation of the points around the outline, in both coordinates.
        options: as for `DrawnClouds`.

    Raises:
        UserError: a range is empty or a number is out of range.
    """

    dim = 2

    def __init__(
        self,
        arms: tuple[int, int] = (5, 5),
        waist: tuple[float, float] = (0.35, 0.55),
        radius: tuple[float, float] = (0.7, 1.0),
        rotation: float = 180.0,
        noise: float = 0.01,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not 2 <= arms[0] <= arms[1]:
            raise UserError(f"stars have 2 arms or more: arms is (fewest, most), not {tuple(arms)}")
        if not (0 < waist[0] <= waist[1] < 1 and 0 < radius[0] <= radius[1]):
            raise UserError(
                "waist and radius are (smallest, largest), positive, and a waist is below 1; not"
                f" {tuple(waist)} and {tuple(radius)}"
            )
        if rotation < 0 or noise < 0:
            raise UserError(f"rotation and noise must be at least 0, not {rotation} and {noise}")
        self.arms, self.waist, self.radius = arms, waist, radius
        self.rotation, self.noise = math.radians(rotation), noise
        self.classes = [f"{count} arms" for count in range(arms[0], arms[1] + 1)]

    def draw(self, n: int, points: int, generator: Generator | None = None) -> Labelled:
        label = torch.randint(len(self.classes), (n,), generator=generator)
        arms = (label + self.arms[0])[:, None]
        outer = between(self.radius, n, generator)[:, None]
        inner = outer * between(self.waist, n, generator)[:, None]
        turn = between((-self.rotation, self.rotation), n, generator)[:, None]
        edge = (torch.rand(n, points, generator=generator) * 2 * arms).long()
        ends = []
        for corner in (edge, edge + 1):
            phi = corner * (math.pi / arms) + turn
            r = torch.where(corner % 2 == 0, outer, inner)
            ends.append(torch.stack([r * phi.cos(), r * phi.sin()], dim=-1))
        clouds = ends[0].lerp(ends[1], torch.rand(n, points, 1, generator=generator))
        clouds += self.noise * torch.randn(n, points, 2, generator=generator)
        return Labelled(clouds, label)
