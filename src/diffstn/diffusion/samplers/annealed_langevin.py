"""Langevin dynamics at one noise level after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoises
from diffstn.diffusion.noise import gaussian_noise
from diffstn.diffusion.samplers.jump import Jump
from diffstn.diffusion.samplers.sampler import Progress, Sampler


@dataclass(frozen=True, kw_only=True)
class AnnealedLangevin(Sampler):
    r"""K Langevin steps at each of `steps` noise levels, from the highest to the lowest.

        x ← x + a/2 ∇log q_t(x) + √a z,    ∇log q_t = −ε̂ / σ_t,    a = r σ_t²,    z ~ N(0, I)

    Then x is handed to the next level as it is. The paper's step size ε σ_t² / σ_1² is this one
    with r = ε / σ_1²: a share of the level's variance, so that every level is walked alike. At
    each the steps come to rest where the variance is 1 / (1 − r / 4) of the level's, which is the
    price of long steps.

    Where the schedule does not let the signal stay (α_t < 1), what is walked is x_t / α_t, whose
    noise σ_t / α_t explodes: in the coordinates of x_t the steps are the ones above, and from t to
    s x is scaled by α_s / α_t. With the spacing `log_snr` the levels are geometric on every
    schedule.

    After the last level a little noise, σ_1, is left; `denoise` takes it away, x_0 = x̂_0, by one
    more call.

    Args:
        steps: number of levels; None takes all T.
        spacing: see `Sampler`.
        each: K, the calls of the denoiser at each level.
        rate: r, between 0 and 4.
        denoise: whether the sample is x̂_0 at the end, or x / α_1.

    Raises:
        ValueError: each or rate is out of range, or, at the call, a level has no signal.

    Source: Song & Ermon, Generative Modeling by Estimating Gradients of the Data Distribution,
    2019, algorithm 1 (K = 100, r = 0.2); the last denoising, and how K and r make up for the
    distance of the levels: Improved Techniques for Training Score-Based Generative Models, 2020,
    section 3.3 and technique 4.
    """

    steps: int | None = None
    spacing: str = "log_snr"
    each: int = 5
    rate: float = 0.2
    denoise: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.each < 1 or not 0 < self.rate < 4:
            raise ValueError(
                f"each must be at least 1 and rate between 0 and 4, not {self.each} and {self.rate}"
            )

    def trajectory(
        self,
        denoiser: Denoises,
        x_T: Tensor,
        generator: Generator | None = None,
        *,
        progress: Progress | None = None,
        **condition: Any,
    ) -> Iterator[tuple[int, Tensor, Tensor]]:
        process, x_t = denoiser.process, x_T
        jumps = self.jumps(process)
        for now, then in progress(jumps) if progress else jumps:
            t, s = (torch.full(x_t.shape[:1], k, device=x_t.device) for k in (now, then))
            sigma = broadcast(denoiser.schedule.sigma(t), x_t)
            denoised = denoiser(x_t, t, s=s, **condition)
            yield now, x_t, denoised.x_0
            for left in reversed(range(self.each)):
                noise = gaussian_noise(x_t, generator)
                x_t = x_t + sigma * (self.rate**0.5 * noise - self.rate / 2 * denoised.eps)
                if left or (self.denoise and not then):
                    denoised = denoiser(x_t, t, s=s, **condition)
            x_t = self.step(Jump(x_t, denoised, t, s, process, torch.zeros_like(x_t), ()))
        yield 0, x_t, x_t

    def step(self, jump: Jump) -> Tensor:
        if self.denoise and not jump.s.any():
            return jump.denoised.x_0
        alpha, then = (broadcast(jump.schedule.alpha(u), jump.x_t) for u in (jump.t, jump.s))
        if (alpha == 0).any():
            raise ValueError(
                "annealed Langevin dynamics need some signal at every noise level, and this"
                " schedule ends without: choose schedule=geometric, or another sampler"
            )
        return then / alpha * jump.x_t
