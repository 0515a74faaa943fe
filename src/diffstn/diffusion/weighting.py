"""How much the noise levels count in a loss."""

from __future__ import annotations

import torch
from torch import Tensor

from diffstn.diffusion.denoiser import Denoiser


class MinSNR:
    """w(t) that lets the squared error of x̂_0 count min(SNR_t, γ), whatever is predicted.

    The error of ε̂ is SNR times that of x̂_0 and the error of v̂ is SNR + 1 times that, so w is
    min(SNR, γ) / SNR, min(SNR, γ) / (SNR + 1) or, for x̂_0 itself, min(SNR, γ).

    Args:
        gamma: γ > 0.

    Raises:
        ValueError: γ is not positive.

    Source: Hang et al., Efficient Diffusion Training via Min-SNR Weighting Strategy, 2023, eq. 7.
    """

    def __init__(self, gamma: float = 5.0) -> None:
        if gamma <= 0:
            raise ValueError(f"gamma of min-SNR must be positive, not {gamma}")
        self.gamma = gamma

    def __call__(self, denoiser: Denoiser, t: Tensor) -> Tensor:
        """w in the shape of t."""
        alpha, sigma = denoiser.schedule.unit(t)
        wanted = (alpha / sigma).square().clamp(max=self.gamma)
        return wanted / denoiser.prediction.error_ratio(alpha, sigma)


class Unweighted:
    """w(t) = 1."""

    def __call__(self, denoiser: Denoiser, t: Tensor) -> Tensor:
        return torch.ones(t.shape, device=t.device)


WEIGHTINGS: dict[str, type[MinSNR] | type[Unweighted]] = {"none": Unweighted, "min_snr": MinSNR}
