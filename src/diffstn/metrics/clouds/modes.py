"""How many modes of a mixture samples reach, and how well."""

from typing import NamedTuple

from torch import Tensor

REACH = 3.0
"""Standard deviations around a centre that belong to its mode."""
SHARE = 0.2
"""Of the samples that a mode should have, those that it takes for being found."""


class Modes(NamedTuple):
    """What was found of a mixture."""

    found: int
    good: float


def modes(points: Tensor, centres: Tensor, sd: float) -> Modes:
    """Modes found, and the share of points within `REACH` sd of a centre.

    A mode is found if at least `SHARE` of the N / K points that it should have lie so near to its
    centre. Of the mixture itself the share is 1 − exp(−9/2) = 98.9 %.

    Args:
        points: (N, 2).
        centres: (K, 2), further than 2 `REACH` sd apart.
        sd: of the Gaussians.

    Source: the counts of Metz et al., Unrolled GANs, 2017, and Srivastava et al., VEEGAN, 2017,
    who take one point for a mode.
    """
    gap, nearest = (points[:, None] - centres[None]).norm(dim=2).min(dim=1)
    near = nearest[gap <= REACH * sd]
    counts = near.bincount(minlength=len(centres))
    enough = max(1.0, SHARE * len(points) / len(centres))
    return Modes(int((counts >= enough).sum()), len(near) / len(points))
