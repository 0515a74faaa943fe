"""A denoiser that knows the range of the data."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.prediction import X0
from diffstn.diffusion.wrappers.wrapper import Wrapper


class Clipped(Wrapper):
    r"""Bounds x̂_0, and lets ε̂ follow so that both still account for x_t.

        x̂_0 ← clamp(x̂_0, −c, c),    ε̂ ← (x_t − α_t x̂_0) / σ_t

    With a quantile q the clipping is dynamic: r, the q-quantile of |x̂_0| over an item, or c if that
    is larger, bounds it, and what is left is shrunk by c / r. For large guidance scales, which
    push x̂_0 out of its range.

    Args:
        denoiser: what is bounded.
        clip: c, for data known to lie in [−c, c]; None leaves the denoiser as it is.
        quantile: q, between 0 and 1; None bounds by c itself.

    Raises:
        ValueError: a number is out of range, or there is a quantile and no clip.

    Source of dynamic clipping: Saharia et al., Photorealistic Text-to-Image Diffusion Models, 2022,
    section 2.3.
    """

    def __init__(
        self, denoiser: Denoises, clip: float | None = None, quantile: float | None = None
    ) -> None:
        if clip is not None and not clip > 0:
            raise ValueError(f"clip must be positive, or null for none; got {clip}")
        if quantile is not None and (clip is None or not 0 < quantile < 1):
            raise ValueError(
                f"clip_quantile={quantile} is a share, between 0 and 1, and needs a clip"
            )
        super().__init__(denoiser)
        self.clip, self.quantile = clip, quantile

    def __call__(self, x_t: Tensor, t: Tensor, /, **condition: Any) -> Denoised:
        denoised = self.denoiser(x_t, t, **condition)
        if self.clip is None:
            return denoised
        if self.quantile is None:
            x_0 = denoised.x_0.clamp(-self.clip, self.clip)
        else:
            sizes = denoised.x_0.abs().flatten(1).float()
            reach = sizes.quantile(self.quantile, dim=1).clamp(min=self.clip)
            reach = broadcast(reach.to(x_t.dtype), x_t)
            x_0 = denoised.x_0.clamp(-reach, reach) * (self.clip / reach)
        alpha = broadcast(self.schedule.alpha(t), x_t)
        sigma = broadcast(self.schedule.sigma(t), x_t)
        return denoised._replace(x_0=x_0, eps=X0().to_eps(x_0, x_t, alpha, sigma))
