"""The walk that all samplers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, repeat
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.noise import gaussian_noise
from diffstn.diffusion.samplers.jump import Jump
from diffstn.diffusion.spacing import SPACINGS, Clock

Progress = Callable[[Iterable[tuple[int, int]]], Iterable[tuple[int, int]]]


@dataclass(frozen=True, kw_only=True)
class Sampler(ABC):
    """Walks from x_T ~ N(0, I) to data in `steps` jumps, one call of the denoiser for each.

    A subclass says in `step` how to get from x_t to x_s, s < t. A multistep solver sets `memory`
    to the number of earlier estimates that its `step` reads; `corrected` may improve on a step,
    and a sampler with a walk of another kind overrides `trajectory`. Samplers are frozen:
    `dataclasses.replace(sampler, steps=40)` is another one.

    Gradients are the caller's choice: wrap the call in `torch.no_grad()` unless they are wanted.

    Args:
        steps: number of jumps, at most the schedule's T; None takes all T.
        spacing: which timesteps to visit: `"trailing"`, `"uniform"`, `"quadratic"`, `"cubic"`,
            `"log_snr"`.

    Raises:
        ValueError: if an argument is out of range, or, at the call, if steps > T.
    """

    steps: int | None = 50
    spacing: str = "trailing"

    memory: ClassVar[int] = 0
    cold: ClassVar[bool] = False
    """Whether a step asks for no more than x̂_0 and the process, and so serves any process."""

    @property
    def stochastic(self) -> bool:
        """Whether steps draw noise, which they then take for Gaussian."""
        return True

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"a sampler needs one step or more, or null for all; got {self.steps}")
        if self.spacing not in SPACINGS:
            raise ValueError(
                f"unknown spacing {self.spacing!r}; choose one of {', '.join(SPACINGS)}"
            )

    @abstractmethod
    def step(self, jump: Jump) -> Tensor:
        """Return x_s from x_t and what the denoiser says of it."""

    def __call__(
        self,
        denoiser: Denoises,
        x_T: Tensor,
        generator: Generator | None = None,
        *,
        progress: Progress | None = None,
        **condition: Any,
    ) -> Tensor:
        """Return the sample x_0 at the end of the walk from x_T (B, *).

        `generator` draws the noise of stochastic samplers; `progress` wraps the iterable of jumps
        (tqdm, for one); `condition` goes to the denoiser at every step.
        """
        walk = self.trajectory(denoiser, x_T, generator, progress=progress, **condition)
        [(_, x_0, _)] = deque(walk, maxlen=1)
        return x_0

    def trajectory(
        self,
        denoiser: Denoises,
        x_T: Tensor,
        generator: Generator | None = None,
        *,
        progress: Progress | None = None,
        **condition: Any,
    ) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield (t, x_t, x̂_0) at each timestep visited, from T down to (0, x_0, x_0)."""
        process, x_t = denoiser.process, x_T
        history: deque[tuple[Tensor, Denoised]] = deque(maxlen=self.memory)
        earlier: deque[int] = deque(maxlen=self.memory)
        jumps, still = self.jumps(process), torch.zeros_like(x_t)
        told = foreseen(denoiser, [now for now, _ in jumps], x_t.device, condition)
        for now, then in progress(jumps) if progress else jumps:
            t, s = (torch.full(x_t.shape[:1], k, device=x_t.device) for k in (now, then))
            denoised = denoiser(x_t, t, s=s, **next(told))
            yield now, x_t, denoised.x_0
            drawn = then and self.stochastic
            noise = gaussian_noise(x_t, generator) if drawn else still
            visited = (*earlier, now, then)
            x_t = self.step(Jump(x_t, denoised, t, s, process, noise, history, visited))
            if then:
                x_t = self.corrected(denoiser, x_t, s, generator, condition)
            history.append((t, denoised))
            earlier.append(now)
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

    def timesteps(self, clock: Clock) -> Tensor:
        """The timesteps of a process or schedule to visit, from T down to 0: long (steps + 1,).

        Raises:
            ValueError: it has fewer, or the noise of the process is none that the steps may draw.
        """
        if self.stochastic and not getattr(clock, "gaussian", True):
            raise ValueError(
                f"{type(self).__name__} draws Gaussian noise, and the process's is of another kind:"
                " choose a sampler that draws none, e.g. sampler=ddim sampler.eta=0"
            )
        return SPACINGS[self.spacing](clock, self.steps or clock.steps)

    def jumps(self, clock: Clock) -> tuple[tuple[int, int], ...]:
        """`timesteps` as pairs of numbers (t, s), kept: whoever samples one item at a time would
        spend much of the time on them.
        """
        return _jumps(self, clock)


def foreseen(
    denoiser: Denoises, timesteps: Sequence[int], device: torch.device, condition: dict[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """The condition for each timestep, see `Denoiser.foreseen`; wrappers do not look ahead."""
    if not hasattr(denoiser, "foreseen"):
        return repeat(condition)
    return denoiser.foreseen(torch.tensor(timesteps, device=device), condition)


@lru_cache(maxsize=32)
def _jumps(sampler: Sampler, clock: Clock) -> tuple[tuple[int, int], ...]:
    return tuple(pairwise(sampler.timesteps(clock).tolist()))
