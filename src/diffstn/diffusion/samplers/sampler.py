"""The walk that all samplers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise

import torch
from torch import Generator, Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.noise import gaussian_noise
from diffstn.diffusion.prediction import X0
from diffstn.diffusion.samplers.jump import Jump
from diffstn.diffusion.schedules import Schedule
from diffstn.diffusion.spacing import SPACINGS

Progress = Callable[[Iterable[tuple[int, int]]], Iterable[tuple[int, int]]]


class Sampler(ABC):
    """Walks from x_T ~ N(0, I) to data in `steps` jumps, one call of the denoiser for each.

    A subclass says in `step` how to get from x_t to x_s, s < t. A multistep solver sets `memory`
    to the number of earlier estimates that its `step` reads; `corrected` may improve on a step,
    and a sampler with a walk of another kind overrides `trajectory`.

    Gradients are the caller's choice: wrap the call in `torch.no_grad()` unless they are wanted.

    Args:
        steps: number of jumps, at most the schedule's T; None takes all T.
        spacing: which timesteps to visit: `"trailing"`, `"uniform"`, `"quadratic"`, `"cubic"`,
            `"log_snr"`.
        clip: bound on |x̂_0|, for data known to lie in [−clip, clip]; None leaves it free.
        clip_quantile: q of dynamic clipping: x̂_0 is bounded by the q-quantile of its absolute
            values where that exceeds `clip`, and shrunk so that the bound becomes `clip`. None
            bounds by `clip` itself. For large guidance scales, which push x̂_0 out of its range:
            Saharia et al., Photorealistic Text-to-Image Diffusion Models, 2022, section 2.3.

    Raises:
        ValueError: if an argument is out of range, or, at the call, if steps > T.
    """

    memory: int = 0

    def __init__(
        self,
        steps: int | None = 50,
        spacing: str = "trailing",
        clip: float | None = None,
        clip_quantile: float | None = None,
    ) -> None:
        if steps is not None and steps < 1:
            raise ValueError(f"a sampler needs one step or more, or null for all; got {steps}")
        if spacing not in SPACINGS:
            raise ValueError(f"unknown spacing {spacing!r}; choose one of {', '.join(SPACINGS)}")
        if clip is not None and clip <= 0:
            raise ValueError(f"clip must be positive, or null for none; got {clip}")
        if clip_quantile is not None and (clip is None or not 0 < clip_quantile < 1):
            raise ValueError(
                f"clip_quantile={clip_quantile} is a share, between 0 and 1, and needs a clip"
            )
        self.steps = steps
        self.clip_quantile = clip_quantile
        self.spacing = spacing
        self.clip = clip

    @abstractmethod
    def step(self, jump: Jump) -> Tensor:
        """Return x_s from x_t and what the denoiser says of it."""

    def __call__(
        self,
        denoiser: Denoises,
        x_T: Tensor,
        generator: Generator | None = None,
        progress: Progress | None = None,
        **condition: Tensor,
    ) -> Tensor:
        """Return the sample x_0 at the end of the walk from x_T (B, *).

        `generator` draws the noise of stochastic samplers; `progress` wraps the iterable of jumps
        (tqdm, for one); `condition` goes to the denoiser at every step.
        """
        walk = self.trajectory(denoiser, x_T, generator, progress, **condition)
        [(_, x_0, _)] = deque(walk, maxlen=1)
        return x_0

    def trajectory(
        self,
        denoiser: Denoises,
        x_T: Tensor,
        generator: Generator | None = None,
        progress: Progress | None = None,
        **condition: Tensor,
    ) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield (t, x_t, x̂_0) at each timestep visited, from T down to (0, x_0, x_0)."""
        schedule, x_t = denoiser.schedule, x_T
        history: deque[tuple[Tensor, Denoised]] = deque(maxlen=self.memory)
        jumps = list(pairwise(self.timesteps(schedule).tolist()))
        for now, then in progress(jumps) if progress else jumps:
            t, s = (torch.full(x_t.shape[:1], k, device=x_t.device) for k in (now, then))
            denoised = self._clipped(denoiser(x_t, t, s=s, **condition), x_t, t, schedule)
            yield now, x_t, denoised.x_0
            noise = gaussian_noise(x_t, generator) if then else torch.zeros_like(x_t)
            x_t = self.step(Jump(x_t, denoised, t, s, schedule, noise, history))
            if then:
                x_t = self.corrected(denoiser, x_t, s, generator, condition)
            history.append((t, denoised))
        yield 0, x_t, x_t

    def corrected(
        self,
        denoiser: Denoises,
        x_s: Tensor,
        s: Tensor,
        generator: Generator | None,
        condition: Mapping[str, Tensor],
    ) -> Tensor:
        """x_s (B, *), better distributed at s ≥ 1 (B,) than the step left it; or as it is."""
        return x_s

    def timesteps(self, schedule: Schedule) -> Tensor:
        """The timesteps to visit, T first and 0 last: long (steps + 1,)."""
        return SPACINGS[self.spacing](schedule, self.steps or schedule.steps)

    def _clipped(self, denoised: Denoised, x_t: Tensor, t: Tensor, schedule: Schedule) -> Denoised:
        """Bound x̂_0, and let ε̂ follow so that both still account for x_t."""
        if self.clip is None:
            return denoised
        if self.clip_quantile is None:
            x_0 = denoised.x_0.clamp(-self.clip, self.clip)
        else:
            sizes = denoised.x_0.abs().flatten(1).float()
            reach = sizes.quantile(self.clip_quantile, dim=1).clamp(min=self.clip)
            reach = broadcast(reach.to(x_t.dtype), x_t)
            x_0 = denoised.x_0.clamp(-reach, reach) * (self.clip / reach)
        alpha, sigma = broadcast(schedule.alpha(t), x_t), broadcast(schedule.sigma(t), x_t)
        return denoised._replace(x_0=x_0, eps=X0().to_eps(x_0, x_t, alpha, sigma))
