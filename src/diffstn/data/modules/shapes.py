"""Plane shapes to draw points from: curves, a checkerboard, and mixtures of Gaussians."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor


class Curves:
    """Points uniform along the length of one or more polylines, with Gaussian thickness.

    Args:
        lines: vertices (K, 2) of each; close a line by repeating its first vertex.
        thickness: standard deviation of the points' distance from the line, in both coordinates.
    """

    def __init__(self, lines: Sequence[Tensor], thickness: float = 0.0) -> None:
        self.starts = torch.cat([line[:-1] for line in lines]).float()
        self.edges = torch.cat([line.diff(dim=0) for line in lines]).float()
        self.lengths = self.edges.norm(dim=1)
        self.thickness = thickness

    def draw(self, n: int, generator: Generator | None = None) -> Tensor:
        """n independent points, (n, 2)."""
        edge = torch.multinomial(self.lengths, n, replacement=True, generator=generator)
        along = torch.rand(n, 1, generator=generator)
        points = self.starts[edge] + along * self.edges[edge]
        if self.thickness:
            points += self.thickness * torch.randn(n, 2, generator=generator)
        return points


class Checkerboard:
    """Points uniform on the dark squares of a board of `side` × `side` over [−1, 1]².

    Raises:
        ValueError: side is odd.
    """

    def __init__(self, side: int = 4, thickness: float = 0.0) -> None:
        if side < 2 or side % 2:
            raise ValueError(f"a checkerboard has an even number of squares a side, not {side}")
        self.side, self.thickness = side, thickness

    def draw(self, n: int, generator: Generator | None = None) -> Tensor:
        """n independent points, (n, 2)."""
        row = torch.randint(self.side, (n,), generator=generator)
        column = torch.randint(self.side // 2, (n,), generator=generator) * 2 + row % 2
        corner = torch.stack([column, row], dim=1)
        points = (corner + torch.rand(n, 2, generator=generator)) * (2 / self.side) - 1
        if self.thickness:
            points += self.thickness * torch.randn(n, 2, generator=generator)
        return points


class Gaussians:
    """Points of a mixture of equally likely round Gaussians.

    Args:
        centres: (K, 2).
        sd: standard deviation in both coordinates.
        thickness: of more Gaussian noise.
    """

    def __init__(self, centres: Tensor, sd: float, thickness: float = 0.0) -> None:
        self.centres, self.sd = centres.float(), math.hypot(sd, thickness)

    def draw(self, n: int, generator: Generator | None = None) -> Tensor:
        """n independent points, (n, 2)."""
        which = torch.randint(len(self.centres), (n,), generator=generator)
        return self.centres[which] + self.sd * torch.randn(n, 2, generator=generator)


def arc(
    radius: float, start: float = 0.0, stop: float = 2 * math.pi, centre: Sequence[float] = (0, 0)
) -> Tensor:
    """A circular arc as 361 vertices; angles in radians."""
    phi = torch.linspace(start, stop, 361, dtype=torch.float64)
    return radius * torch.stack([phi.cos(), phi.sin()], dim=1) + torch.tensor(centre).double()


def rounded(corners: Sequence[tuple[float, float]], cut: float = 0.2, rounds: int = 3) -> Tensor:
    """A closed polygon with its corners cut off `rounds` times, each `cut` of the way along."""
    line = torch.tensor(corners, dtype=torch.float64)
    for _ in range(rounds):
        following = line.roll(-1, 0)
        near, far = line.lerp(following, cut), line.lerp(following, 1 - cut)
        line = torch.stack([near, far], dim=1).flatten(0, 1)
    return torch.cat([line, line[:1]])


DINOHEAD = (
    *((-0.62, -0.95), (-0.70, -0.55), (-0.86, -0.15), (-0.90, 0.22), (-0.78, 0.52)),  # nape
    *((-0.55, 0.70), (-0.33, 0.74), (-0.20, 0.84), (-0.02, 0.80), (0.06, 0.66)),  # skull, brow
    *((0.30, 0.62), (0.56, 0.60), (0.74, 0.64), (0.88, 0.54), (0.95, 0.36), (0.93, 0.18)),  # snout
    *((0.86, 0.06), (0.80, 0.14), (0.74, 0.00), (0.66, 0.12), (0.58, -0.02), (0.48, 0.10)),  # teeth
    *((0.38, -0.05), (0.28, 0.06), (0.16, -0.08), (0.02, -0.06), (-0.08, -0.14)),
    *((0.04, -0.24), (0.16, -0.20), (0.24, -0.30), (0.34, -0.20), (0.42, -0.33), (0.52, -0.22)),
    *((0.60, -0.34), (0.70, -0.24), (0.80, -0.30), (0.82, -0.42), (0.70, -0.52)),  # chin
    *((0.44, -0.58), (0.14, -0.60), (-0.08, -0.68), (-0.16, -0.95)),  # lower jaw, throat
)
"""The head of a tyrannosaur in profile, looking to the right; one closed polygon."""


def circle() -> list[Tensor]:
    return [arc(0.9)]


def square() -> list[Tensor]:
    side = 0.8
    corners = [(-side, -side), (side, -side), (side, side), (-side, side), (-side, -side)]
    return [torch.tensor(corners, dtype=torch.float64)]


def dinohead() -> list[Tensor]:
    eye, nostril = arc(0.075, centre=(-0.16, 0.52)), arc(0.03, centre=(0.8, 0.46))
    return [rounded(DINOHEAD), eye, nostril]


def moons() -> list[Tensor]:
    return [arc(0.6, 0, math.pi, (-0.3, -0.15)), arc(0.6, math.pi, 2 * math.pi, (0.3, 0.15))]


def spiral() -> list[Tensor]:
    phi = torch.linspace(0.5 * math.pi, 4.5 * math.pi, 1000, dtype=torch.float64)
    return [0.9 * (phi / phi[-1])[:, None] * torch.stack([phi.cos(), phi.sin()], dim=1)]


def rings() -> list[Tensor]:
    return [arc(0.9), arc(0.45)]


CURVES: dict[str, Callable[[], list[Tensor]]] = {
    "circle": circle,
    "square": square,
    "dinohead": dinohead,
    "moons": moons,
    "spiral": spiral,
    "rings": rings,
}
SHAPES = (*CURVES, "checkerboard")


def ring8() -> tuple[Tensor, float]:
    """Eight centres on a circle of radius 0.8; sd 0.02, 1/40 of it (Metz et al., 2017: 1/100)."""
    phi = torch.arange(8, dtype=torch.float64) * (math.pi / 4)
    return 0.8 * torch.stack([phi.cos(), phi.sin()], dim=1), 0.02


def grid25() -> tuple[Tensor, float]:
    """5 × 5 centres 0.4 apart; sd 0.01, 0.05/2 of that (Srivastava et al., VEEGAN, 2017)."""
    side = torch.linspace(-0.8, 0.8, 5, dtype=torch.float64)
    return torch.cartesian_prod(side, side), 0.01


MIXTURES: dict[str, Callable[[], tuple[Tensor, float]]] = {"ring8": ring8, "grid25": grid25}
"""Of separate modes, for what generative models leave out; not among the shapes of "all"."""


def shape(name: str, thickness: float = 0.0) -> Curves | Checkerboard | Gaussians:
    """The shape of that name, within [−1, 1]² but for its thickness; ValueError lists them."""
    if name not in (*SHAPES, *MIXTURES):
        raise ValueError(f"no shape called '{name}'; choose {', '.join((*SHAPES, *MIXTURES))}")
    if thickness < 0:
        raise ValueError(f"thickness must be at least 0, not {thickness}")
    if name in MIXTURES:
        return Gaussians(*MIXTURES[name](), thickness)
    return (
        Curves(CURVES[name](), thickness) if name in CURVES else Checkerboard(thickness=thickness)
    )
