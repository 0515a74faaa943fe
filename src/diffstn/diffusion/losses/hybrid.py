"""The mean from one loss, the variance from the other."""

from __future__ import annotations

from torch import Tensor

from diffstn.diffusion.denoiser import Denoised, Denoiser
from diffstn.diffusion.likelihood import BINS
from diffstn.diffusion.losses.loss import Loss
from diffstn.diffusion.losses.simple import SimpleLoss
from diffstn.diffusion.losses.variational import VariationalLoss


class HybridLoss(Loss):
    """L_simple + λ L_vlb, where L_vlb teaches the variance alone: x̂_0 is held fixed in it.

    Args:
        variational_weight: λ.
        bins: see `VariationalLoss`.

    Source: Nichol & Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021, eq. 16.
    """

    def __init__(self, variational_weight: float = 1e-3, bins: int | None = BINS) -> None:
        self.variational_weight = variational_weight
        self.simple, self.variational = SimpleLoss(), VariationalLoss(bins)

    def score(
        self,
        denoiser: Denoiser,
        denoised: Denoised,
        x_0: Tensor,
        x_t: Tensor,
        t: Tensor,
        eps: Tensor,
    ) -> Tensor:
        simple = self.simple.score(denoiser, denoised, x_0, x_t, t, eps)
        held = denoised._replace(x_0=denoised.x_0.detach())
        bound = self.variational.score(denoiser, held, x_0, x_t, t, eps)
        return simple + self.variational_weight * bound
