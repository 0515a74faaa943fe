"""A distance between samples of any dimension that sorting gives."""

import torch
from torch import Generator, Tensor


def sliced_wasserstein(a: Tensor, b: Tensor, directions: int = 128, seed: int = 0) -> Tensor:
    r"""$\big(\mathbb E_\theta\,W_2^2(\theta^\top a, \theta^\top b)\big)^{1/2}$ of two samples.

    On a line the optimal transport joins the k-th smallest to the k-th smallest. The directions θ
    are the same for the same seed, so values can be compared.

    Args:
        a, b: (N, *), equally many.
        directions: unit vectors, uniform on the sphere.

    Returns:
        A number (), in the units of the coordinates; moving all of a by v adds |v| / √D to it.

    Raises:
        ValueError: the shapes differ.

    Source: Bonneel et al., Sliced and Radon Wasserstein Barycenters of Measures, 2015.
    """
    if a.shape != b.shape:
        raise ValueError(f"two samples of one shape are compared, not {a.shape} and {b.shape}")
    a, b = a.flatten(1).float(), b.flatten(1).float()
    theta = torch.randn(a.shape[1], directions, generator=Generator().manual_seed(seed))
    theta = (theta / theta.norm(dim=0)).to(a.device)
    with torch.autocast(a.device.type, enabled=False):
        gaps = (a @ theta).sort(dim=0).values - (b @ theta).sort(dim=0).values
    return gaps.square().mean().sqrt()
