"""The mean-square error."""

from __future__ import annotations

from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoised, Denoiser
from diffstn.diffusion.losses.loss import Loss


class SimpleLoss(Loss):
    """The mean-square error of the network in the space that it predicts in.

        L_simple = ‖ target(x̂_0, ε̂) − target(x_0, ε) ‖² / d,    x̂_0, ε̂ from x_t = α_t x_0 + σ_t ε

    where target is ε, x_0 or v, whichever the denoiser's network predicts.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, eq. 14.
    """

    def score(
        self,
        denoiser: Denoiser,
        denoised: Denoised,
        x_0: Tensor,
        x_t: Tensor,
        t: Tensor,
        eps: Tensor,
    ) -> Tensor:
        schedule, target = denoiser.schedule, denoiser.prediction.target
        alpha, sigma = (broadcast(factor, x_0) for factor in schedule.unit(t))
        error = target(denoised.x_0, denoised.eps, alpha, sigma) - target(x_0, eps, alpha, sigma)
        return error.square().reshape(*t.shape, -1).mean(-1)
