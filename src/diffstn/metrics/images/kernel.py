"""The kernel distance between what a network sees in two sets of images."""

import torch
from torch import Generator, Tensor


def kernel_distance(
    a: Tensor,
    b: Tensor,
    subsets: int = 50,
    subset_size: int = 1000,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    r"""KID: the unbiased squared MMD with $k(x, y) = (x^\top y / D + 1)^3$, over random subsets.

    Unlike the Fréchet distance it has no bias in N, and it may be slightly negative.

    Args:
        a, b: features (N, D), (M, D).
        subsets: how many pairs of subsets.
        subset_size: of each, at most N and M.

    Returns:
        Mean and standard deviation over the subsets, 0 if there is one only.

    Raises:
        ValueError: fewer than two vectors on a side.

    Source: Bińkowski et al., Demystifying MMD GANs, 2018, section 3.
    """
    size = min(subset_size, len(a), len(b))
    if size < 2:
        raise ValueError("a kernel distance needs two vectors or more on each side")
    a, b = a.double(), b.double()
    found = []
    if size == len(a) == len(b):
        subsets = 1  # all of them would be the same
    for _ in range(subsets):
        x, y = (s[torch.randperm(len(s), generator=generator)[:size]] for s in (a, b))
        xx, yy, xy = ((p @ q.T / p.shape[1] + 1) ** 3 for p, q in ((x, x), (y, y), (x, y)))
        within = sum((k.sum() - k.trace()) / (size * (size - 1)) for k in (xx, yy))
        found.append(within - 2 * xy.mean())
    values = torch.stack(found)  # type: ignore[arg-type]
    return values.mean(), values.std() if subsets > 1 else values.new_zeros(())
