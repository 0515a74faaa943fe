"""A network that speaks of clean data and noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.named import named
from diffstn.diffusion.prediction import PREDICTIONS, Prediction
from diffstn.diffusion.processes import Noised
from diffstn.diffusion.schedules import Schedule
from diffstn.diffusion.variance import VARIANCES, Variance
from diffstn.in_portions import in_portions

FORESEEN = 2**20
"""Numbers of the condition, times timesteps, of which a network makes something at once."""


class Denoised(NamedTuple):
    """What a denoiser says of x_t = α_t x_0 + σ_t ε."""

    x_0: Tensor
    """The expected clean data, in the shape of x_t."""

    eps: Tensor
    """The expected noise, in the shape of x_t."""

    spread: Callable[[], Tensor]
    """Finds `log_variance`, which few samplers ask for."""

    @property
    def log_variance(self) -> Tensor:
        """The log-variance of the reverse step p(x_s | x_t); broadcasts to x_t."""
        return self.spread()


class Denoises(Protocol):
    """Anything that samplers can walk with: a `Denoiser`, or a wrapper around one.

    A wrapper hands all keywords on to the denoiser that it wraps, and with them the sampler's
    `s=`, the timestep of the next step, of which only `log_variance` depends.
    """

    @property
    def process(self) -> Any:
        """The `Process` that the denoiser was trained to undo."""

    @property
    def schedule(self) -> Schedule:
        """The process's, where it has one."""

    def __call__(self, x_t: Tensor, t: Tensor, /, **condition: Tensor) -> Denoised:
        """Estimate what x_t (B, *) was at t (B,)."""


class Denoiser(nn.Module):
    """A network, the process that it undoes, and what its output means.

    The network is shown x_t at unit size, x_t / √(α_t² + σ_t²), and its output is read there: for
    all schedules that preserve the variance that is x_t itself.

    Args:
        network: called as `network(x_t, t, **condition)`, with x_t (B, *) and t (B,) long.
        process: how data turn into noise.
        prediction: what the output means: `"eps"`, `"x0"`, `"v"` or a `Prediction`.
        variance: that of the reverse step: `"fixed_small"`, `"fixed_large"` or a `Variance`.

    Raises:
        ValueError: if `prediction` or `variance` is no name that exists.
    """

    process: Noised

    def __init__(
        self,
        network: nn.Module,
        process: Noised,
        prediction: str | Prediction = "eps",
        variance: str | Variance = "fixed_small",
    ) -> None:
        super().__init__()
        self.network = network
        self.process = process
        self.prediction = named("prediction", prediction, PREDICTIONS)
        self.variance = named("variance", variance, VARIANCES)

    @property
    def schedule(self) -> Schedule:
        """That of the process."""
        return self.process.schedule

    def forward(
        self, x_t: Tensor, t: Tensor, s: Tensor | None = None, **condition: Tensor
    ) -> Denoised:
        """Estimate x_0, ε and the variance of the step from t to s (left out: t − 1).

        t ≥ 1 has shape (B,) or any leading shape of x_t. The network may compute in lower
        precision; its output is read in the precision of x_t.
        """
        s = t - 1 if s is None else s
        alpha, sigma = (broadcast(factor, x_t) for factor in self.schedule.unit(t))
        x_t = self.schedule.to_unit(x_t, t)
        output = in_portions(self.network, x_t, t, **condition).to(x_t.dtype)
        said = self.variance.prediction(output, t)
        x_0 = self.prediction.to_x0(said, x_t, alpha, sigma)
        eps = self.prediction.to_eps(said, x_t, alpha, sigma)
        return Denoised(x_0, eps, partial(self.variance.log_variance, output, self.schedule, t, s))

    def foreseen(
        self, t: Tensor, condition: Mapping[str, Tensor]
    ) -> Iterator[Mapping[str, Tensor]]:
        """The condition for each timestep of a walk, t (n,) long, which all items take together.

        A network may find what depends on time and condition alone for many steps at once, and with
        one reading of its weights: `network.ahead(t, **condition)` → (n, B, *), of t (n, 1) and a
        condition (1, B, *). It is then called with its part as `ahead=` beside the condition.
        """
        ahead = getattr(self.network, "ahead", None)
        if ahead is None:
            yield from repeat(condition)
            return
        whole = torch.compiler.is_compiling() or torch.jit.is_tracing()
        numbers = sum(told.numel() for told in condition.values())
        together = len(t) if whole else max(1, FORESEEN // max(1, numbers))
        for some in t.split(together):
            told = {name: one[None] for name, one in condition.items()}
            for known in ahead(some[:, None], **told):
                yield {**condition, "ahead": known}
