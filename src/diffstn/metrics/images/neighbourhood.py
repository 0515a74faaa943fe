"""Whether those of a class lie together."""

import torch
from torch import Tensor


def neighbourhood_purity(
    features: Tensor,
    labels: Tensor,
    k: int = 10,
    among: tuple[Tensor, Tensor] | None = None,
    tile: int = 2048,
) -> float:
    r"""Mean share of a vector's k nearest neighbours that have its label,

        (1 / N k) Σ_i #{ j among the k nearest of i : y_j = y_i },    from 0 to 1

    Where features know nothing of the classes it is the chance that two have the same label, 1/K
    for K equal classes. Unlike a plot of the vectors in the plane it does not depend on a drawing.

    Args:
        features: (N, D).
        labels: (N,).
        k: neighbours.
        among: features (M, D) and labels (M,) to look for neighbours among; None: the others of
            the same set.
        tile: rows compared at a time; memory is tile · max(N, M).

    Raises:
        ValueError: not more than k vectors to choose from.
    """
    others, theirs = (features, labels) if among is None else among
    own = among is None
    if len(others) < k + own:
        raise ValueError(f"{k} neighbours need {k + own} vectors or more, not {len(others)}")
    features, others = features.float(), others.float()
    shares = []
    for first in range(0, len(features), tile):
        rows = features[first : first + tile]
        apart = torch.cdist(rows, others)
        if own:
            here = torch.arange(len(rows))
            apart[here, first + here] = torch.inf
        near = theirs[apart.topk(k, largest=False).indices]
        shares.append((near == labels[first : first + tile, None]).float().mean(1))
    return float(torch.cat(shares).double().mean())
