"""Which of the T timesteps a sampler visits.

A spacing maps (process or schedule, n) to n + 1 strictly decreasing timesteps, a long CPU tensor
from T to 0. With n = T every spacing visits them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Clock = Any
"""A process or its schedule: something with `steps` and, where there is noise, `log_snr`."""
Spacing = Callable[[Clock, int], Tensor]

LOG_SNR_FLOOR = -20.0
"""Signal below e⁻²⁰ of the noise tells nothing, and earns no timesteps of its own."""


def uniform(clock: Clock, n: int) -> Tensor:
    """Evenly from T to 1, then 0: the last jump is a single timestep.

    Source: Nichol & Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021, section 4.
    """
    return _strictly_decreasing(torch.linspace(clock.steps, 1, n, dtype=torch.float64), clock)


def trailing(clock: Clock, n: int) -> Tensor:
    """Evenly from T to 0: all jumps are of T / n timesteps. Good with few steps.

    Source: Lin et al., Common Diffusion Noise Schedules and Sample Steps Are Flawed, 2024, table 2.
    """
    return _strictly_decreasing(_fractions(n) * clock.steps, clock)


def quadratic(clock: Clock, n: int) -> Tensor:
    """τ_i = T (i / n)²: denser where the noise is low.

    Source: Song et al., Denoising Diffusion Implicit Models, 2021, appendix D.2.
    """
    return _strictly_decreasing(_fractions(n).square() * clock.steps, clock)


def cubic(clock: Clock, n: int) -> Tensor:
    """τ_i = T (i / n)³: denser still, for data with fine detail, such as points on a line.

    The idea of spending the steps by a power of the noise level: Karras et al., Elucidating the
    Design Space of Diffusion-Based Generative Models, 2022, eq. 5.
    """
    return _strictly_decreasing(_fractions(n).pow(3) * clock.steps, clock)


def log_snr(clock: Clock, n: int) -> Tensor:
    """Evenly in log-SNR from T to 1, then 0: the natural clock of exponential integrators.

    Raises:
        ValueError: the process adds no noise.

    Source: Lu et al., DPM-Solver, 2022.
    """
    if not hasattr(clock, "log_snr"):
        raise ValueError(f"spacing=log_snr: {type(clock).__name__} adds no noise; choose trailing")
    t = torch.arange(clock.steps, 0, -1)
    levels = clock.log_snr(t).double().cpu().clamp(min=LOG_SNR_FLOOR)
    wanted = torch.linspace(levels[0].item(), levels[-1].item(), n, dtype=torch.float64)
    nearest = (levels - wanted[:, None]).abs().argmin(1)
    return _strictly_decreasing(t[nearest], clock)


SPACINGS: dict[str, Spacing] = {
    "uniform": uniform,
    "trailing": trailing,
    "quadratic": quadratic,
    "cubic": cubic,
    "log_snr": log_snr,
}


def _fractions(n: int) -> Tensor:
    """1, (n − 1) / n, …, 1 / n."""
    return torch.arange(n, 0, -1, dtype=torch.float64) / n


def _strictly_decreasing(positions: Tensor, clock: Clock) -> Tensor:
    """Round decreasing positions in [0, T], pushing apart those that coincide, and end at 0."""
    n, steps = len(positions), clock.steps
    if not 1 <= n <= steps:
        raise ValueError(
            f"cannot take {n} sampling steps on a schedule of {steps}: choose 1 to {steps}, "
            "or steps=null for all of them"
        )
    rank = torch.arange(1, n + 1)
    slack = positions.round().long().flip(0) - rank
    rising = slack.cummax(0).values.clamp(0, steps - n) + rank
    return torch.cat([rising.flip(0), rising.new_zeros(1)])
