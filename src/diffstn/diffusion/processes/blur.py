"""Images that dissolve like heat."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffstn.diffusion.processes.separable import Separable


class Blur(Separable):
    r"""Gaussian blur of growing strength, exact for any: the heat equation with closed borders.

    $\partial x / \partial \tau = \Delta x$ for a time τ blurs by a Gaussian of deviation
    $\sigma = \sqrt{2\tau}$. With nothing flowing across the borders, the discrete cosines
    $\cos(\pi k (j + ½) / n)$ are the eigenfunctions of Δ on a side of n pixels, with eigenvalues
    $-(\pi k / n)^2$, so in their orthonormal basis C

        L_t = Cᵀ diag(exp(−(πk/n)² σ_t²/2)) C,    k = 0, …, n − 1

    Blurs add up, D(D(x, σ), ρ) = D(x, √(σ² + ρ²)), the mean never changes, and what is left at T
    beside it is e^(−π²/2 (σ_T/n)²) of the slowest wave and less of all others. σ grows
    geometrically from t = 1 to T, as every factor takes away waves of the next finer scale.

    Args:
        channels, size: C and (H, W) of the images.
        steps: T.
        smallest, largest: σ_1 and σ_T in units of the larger side.
        rank, noise: of the prior, see `FittedPrior`.

    Raises:
        ValueError: a number is out of range.

    Source: Rissanen et al., Generative Modelling with Inverse Heat Dissipation, 2023, section 3;
    blur as a cold process: Bansal et al., Cold Diffusion, 2022, section 4.1.
    """

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        steps: int = 20,
        smallest: float = 0.01,
        largest: float = 0.5,
        rank: int = 32,
        noise: float = 0.002,
    ) -> None:
        if steps < 2 or not 0 < smallest < largest < math.inf:
            raise ValueError(
                "blur must grow in 2 steps or more: give steps, and smallest below largest, both"
                f" positive, not {steps}, {smallest}, {largest}"
            )
        share = torch.arange(steps, dtype=torch.float64) / (steps - 1)
        sigma = max(size) * smallest * (largest / smallest) ** share
        sigma = torch.cat([sigma.new_zeros(1), sigma])
        rows, columns = (heat(side, sigma.square() / 2) for side in size)
        super().__init__(rows, columns, channels, rank, noise)
        self.register_buffer("sigma", sigma.float(), persistent=False)


def cosines(side: int) -> Tensor:
    """The orthonormal cosines (DCT-II) of a line of so many pixels, in float64: (side, side).

    Row k is cos(πk(j + ½)/side) at the pixels j, of unit length; the slowest come first.
    """
    k = torch.arange(side, dtype=torch.float64)
    waves = (math.pi / side * k[:, None] * (k + 0.5)).cos()
    return waves / waves.norm(dim=1, keepdim=True)


def heat(side: int, tau: Tensor) -> Tensor:
    """exp(τΔ) on a line of so many pixels with closed ends, τ (n,) in pixels²: (n, side, side)."""
    k, waves = torch.arange(side, dtype=torch.float64), cosines(side)
    decay = (-(math.pi / side * k).square() * tau.double()[:, None]).exp()
    return waves.T @ (decay[:, :, None] * waves)
