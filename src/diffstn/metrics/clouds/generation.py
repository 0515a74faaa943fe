"""How good and how varied a set of generated clouds is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from diffstn.metrics.clouds.chamfer import Chamfer
from diffstn.metrics.clouds.occupancy import occupancy_jsd
from diffstn.metrics.clouds.pairwise import CloudDistance, Progress, Spread, map_in_order, pairwise


def minimum_matching(generated_to_reference: Tensor) -> Tensor:
    """MMD: the mean over references of the distance to the nearest generated cloud, from (G, R).

    Fidelity: how well each reference is matched by the best of the generated.
    """
    return generated_to_reference.amin(dim=0).mean()


def coverage(generated_to_reference: Tensor) -> Tensor:
    """COV: the share of references that are the nearest one to some generated cloud, from (G, R).

    Diversity: a generator of one shape covers one reference, however good that shape is.
    """
    nearest = generated_to_reference.argmin(dim=1)
    return nearest.unique().numel() / torch.tensor(
        generated_to_reference.shape[1], dtype=torch.float64
    )


def one_nn(generated: Tensor, reference: Tensor, generated_to_reference: Tensor) -> Tensor:
    """1-NNA: how often a cloud's nearest neighbour among all others is of its own set.

    From distances (G, G), (R, R) and (G, R), averaged over both sets; 0.5 for sets that cannot be
    told apart, 1 for sets that have nothing in common, and below 0.5 for copies of the references.
    A tie counts as a half.
    """
    hits = []
    for own, other in ((generated, generated_to_reference), (reference, generated_to_reference.T)):
        nearest_own = own.clone().fill_diagonal_(float("inf")).amin(dim=1)
        nearest_other = other.amin(dim=1)
        hits.append((nearest_own < nearest_other).double() + (nearest_own == nearest_other) / 2)
    return torch.cat(hits).mean()


class CloudGeneration(Metric):
    """MMD, COV, 1-NNA and JSD of generated clouds against held-out ones.

    `compute` returns float64 scalars: `mmd` in the units of the distance, `coverage` and `one_nn`
    in [0, 1], `jsd` in bits. The clouds are taken as they come: whoever updates the metric decides
    how they are normalised, and says so beside the numbers.

    Args:
        distance: between two clouds.
        reach: half the side of the cube in which occupancy is counted.
        progress: wraps the loops over clouds.
        spread: see `pairwise`.

    Source: Achlioptas et al., 2018 (MMD, COV, JSD); Yang et al., PointFlow, 2019 (1-NNA).
    """

    is_differentiable = False
    full_state_update = False

    generated: list[Tensor]
    reference: list[Tensor]

    def __init__(
        self,
        distance: CloudDistance | None = None,
        reach: float = 1.0,
        progress: Progress | None = None,
        spread: Spread = map_in_order,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.distance = Chamfer() if distance is None else distance
        self.reach, self.progress, self.spread = reach, progress, spread
        self.add_state("generated", [], dist_reduce_fx="cat")
        self.add_state("reference", [], dist_reduce_fx="cat")

    def update(self, clouds: Tensor, real: bool) -> None:
        """Add clouds (B, N, D) to the held-out ones (`real`) or to the generated ones.

        Raises:
            ValueError: they are not (B, N, D), or not finite.
        """
        if clouds.ndim != 3 or not clouds.shape[1]:
            raise ValueError(f"clouds are (B, N, D) with N ≥ 1, not {tuple(clouds.shape)}")
        if not clouds.isfinite().all():
            raise ValueError("a cloud holds points that are not finite")
        (self.reference if real else self.generated).append(clouds.float())

    def compute(self) -> dict[str, Tensor]:
        generated, reference = dim_zero_cat(self.generated), dim_zero_cat(self.reference)
        how: dict[str, Any] = {"progress": self.progress, "spread": self.spread}
        across = pairwise(generated, reference, self.distance, **how)
        own = pairwise(generated, generated, self.distance, **how)
        theirs = pairwise(reference, reference, self.distance, **how)
        return {
            "mmd": minimum_matching(across),
            "coverage": coverage(across),
            "one_nn": one_nn(own, theirs, across),
            "jsd": occupancy_jsd(generated, reference, reach=self.reach),
        }
