"""What a denoiser is trained to make small."""

from __future__ import annotations

from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoiser


class SimpleLoss:
    """The mean-square error of the network in the space that it predicts in.

        L_simple = ‖ target(x̂_0, ε̂) − target(x_0, ε) ‖² / d,    x̂_0, ε̂ from x_t = α_t x_0 + σ_t ε

    where target is ε, x_0 or v, whichever the denoiser's network predicts.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, eq. 14.
    """

    def __call__(
        self, denoiser: Denoiser, x_0: Tensor, t: Tensor, eps: Tensor, **condition: Tensor
    ) -> Tensor:
        """Return one loss for each sample, in the shape of t, for x_0 and eps (B, *), t (B,)."""
        schedule, target = denoiser.schedule, denoiser.prediction.target
        alpha, sigma = broadcast(schedule.alpha(t), x_0), broadcast(schedule.sigma(t), x_0)
        denoised = denoiser(schedule.add_noise(x_0, t, eps), t, **condition)
        error = target(denoised.x_0, denoised.eps, alpha, sigma) - target(x_0, eps, alpha, sigma)
        return error.square().reshape(*t.shape, -1).mean(-1)
