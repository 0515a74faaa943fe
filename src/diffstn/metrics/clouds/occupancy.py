"""How alike two sets of clouds fill space."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def occupancy(clouds: Tensor, resolution: int = 28, reach: float = 1.0) -> Tensor:
    """Share of all points of clouds (A, N, D) in each cell of a lattice over [−reach, reach]^D.

    Points outside count for the nearest cell. Returns (resolution^D,) float64, summing to 1.
    """
    cells = ((clouds.flatten(0, 1) / reach + 1) / 2 * resolution).floor().long()
    cells = cells.clamp(0, resolution - 1)
    strides = resolution ** torch.arange(clouds.shape[-1], device=clouds.device)
    counts = torch.bincount((cells * strides).sum(-1), minlength=resolution ** clouds.shape[-1])
    return counts.double() / counts.sum()


def occupancy_jsd(xs: Tensor, ys: Tensor, resolution: int = 28, reach: float = 1.0) -> Tensor:
    """Jensen–Shannon divergence of the occupancies of two sets of clouds in bits, from 0 to 1.

        JSD(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m),    m = (p + q) / 2

    It compares the sets' marginal distributions of points only: a set of identical average shapes
    can score well. Achlioptas et al., Learning Representations and Generative Models for 3D Point
    Clouds, 2018, section 2.
    """
    p, q = occupancy(xs, resolution, reach), occupancy(ys, resolution, reach)
    m = (p + q) / 2
    divergences = [torch.special.xlogy(one, one / m.clamp_min(1e-300)).sum() for one in (p, q)]
    return (divergences[0] + divergences[1]) / 2 / math.log(2)
