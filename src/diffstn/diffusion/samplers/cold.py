"""Sampling by the process alone, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from diffstn.diffusion.samplers.jump import Jump
from diffstn.diffusion.samplers.sampler import Sampler


@dataclass(frozen=True, kw_only=True)
class ColdNaive(Sampler):
    """Restores, and degrades again a little less: x_s = D(x̂_0, s).

    Whatever x̂_0 gets wrong is in x_s in full, and the next estimate builds on it: the errors of T
    steps add up. Where the process has noise of its own, D takes the estimate's ε̂.

    Args:
        steps, spacing: see `Sampler`.

    Source: Bansal et al., Cold Diffusion, 2022, algorithm 1.
    """

    steps: int | None = None
    cold: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False

    def step(self, jump: Jump) -> Tensor:
        return jump.process.corrupt(jump.denoised.x_0, jump.s, jump.denoised.eps)


@dataclass(frozen=True, kw_only=True)
class Cold(ColdNaive):
    r"""Changes x_t by what a restored image changes between t and s.

        x_s = x_t − D(x̂_0, t) + D(x̂_0, s)

    With D(x, t) ≈ x + t e, e not depending on x, this is x_s = x_0 + s e whatever x̂_0 is. For a
    linear D and x_t = D_t x_0 the error of x_s is (D_s − D_t)(x̂_0 − x_0), where that of `ColdNaive`
    is D_s (x̂_0 − x_0): what does not change between t and s is never taken from the estimate.

    For Gaussian noise D(x̂_0, t) with ε̂ is x_t itself: both are DDIM. A process on a group that is
    no vector space says by `exchanged(x_t, D(x̂_0, t), D(x̂_0, s))` what takes the place of − and +.

    Args:
        steps, spacing: see `Sampler`.

    Source: Bansal et al., Cold Diffusion, 2022, algorithm 2 and section 3.3.
    """

    def step(self, jump: Jump) -> Tensor:
        process, denoised = jump.process, jump.denoised
        before, after = process.corrupt(denoised.x_0, jump.t, denoised.eps), super().step(jump)
        if hasattr(process, "exchanged"):
            return process.exchanged(jump.x_t, before, after)
        return jump.x_t - before + after
