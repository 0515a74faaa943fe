"""Fidelity and diversity apart: k-nearest-neighbour precision and recall."""

import torch
from torch import Tensor


def precision_recall(
    real: Tensor, generated: Tensor, k: int = 3, tile: int = 2048
) -> tuple[float, float]:
    """Shares of generated vectors within the real manifold, and of real ones within the generated.

    A set's manifold is the union of balls around its vectors, each reaching to the vector's k-th
    nearest neighbour in the set.

    Args:
        real, generated: features (N, D), (M, D).
        k: neighbours.
        tile: rows compared at a time; memory is tile · max(N, M).

    Raises:
        ValueError: a set of k vectors or fewer.

    Source: Kynkäänniemi et al., Improved Precision and Recall Metric, 2019, eq. 1 and 2.
    """
    if min(len(real), len(generated)) <= k:
        raise ValueError(f"{k} neighbours need sets of more than {k} vectors")
    real, generated = real.float(), generated.float()

    def radii(x: Tensor) -> Tensor:
        nearest = [torch.cdist(rows, x).topk(k + 1, largest=False).values for rows in x.split(tile)]
        return torch.cat(nearest)[:, k]

    def inside(x: Tensor, others: Tensor, reach: Tensor) -> float:
        within = [(torch.cdist(rows, others) <= reach).any(1) for rows in x.split(tile)]
        return float(torch.cat(within).float().mean())

    return inside(generated, real, radii(real)), inside(real, generated, radii(generated))
