"""Which of the T timesteps a sampler visits.

A spacing maps (schedule, n) to n + 1 strictly decreasing timesteps, a long CPU tensor from T to 0.
With n = T every spacing visits them all.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffstn.diffusion.schedules import Schedule

Spacing = Callable[[Schedule, int], Tensor]

LOG_SNR_FLOOR = -20.0
"""Signal below e⁻²⁰ of the noise tells nothing, and earns no timesteps of its own."""


def uniform(schedule: Schedule, n: int) -> Tensor:
    """Evenly from T to 1, then 0: the last jump is a single timestep.

    Source: Nichol & Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021, section 4.
    """
    return _strictly_decreasing(torch.linspace(schedule.steps, 1, n, dtype=torch.float64), schedule)


def trailing(schedule: Schedule, n: int) -> Tensor:
    """Evenly from T to 0: all jumps are of T / n timesteps. Good with few steps.

    Source: Lin et al., Common Diffusion Noise Schedules and Sample Steps Are Flawed, 2024, table 2.
    """
    return _strictly_decreasing(_fractions(n) * schedule.steps, schedule)


def quadratic(schedule: Schedule, n: int) -> Tensor:
    """τ_i = T (i / n)²: denser where the noise is low.

    Source: Song et al., Denoising Diffusion Implicit Models, 2021, appendix D.2.
    """
    return _strictly_decreasing(_fractions(n).square() * schedule.steps, schedule)


def cubic(schedule: Schedule, n: int) -> Tensor:
    """τ_i = T (i / n)³: denser still, for data with fine detail, such as points on a line.

    The idea of spending the steps by a power of the noise level: Karras et al., Elucidating the
    Design Space of Diffusion-Based Generative Models, 2022, eq. 5.
    """
    return _strictly_decreasing(_fractions(n).pow(3) * schedule.steps, schedule)


def log_snr(schedule: Schedule, n: int) -> Tensor:
    """Evenly in log-SNR from T to 1, then 0: the natural clock of exponential integrators.

    Source: Lu et al., DPM-Solver, 2022.
    """
    t = torch.arange(schedule.steps, 0, -1)
    levels = schedule.log_snr(t).double().cpu().clamp(min=LOG_SNR_FLOOR)
    wanted = torch.linspace(levels[0].item(), levels[-1].item(), n, dtype=torch.float64)
    nearest = (levels - wanted[:, None]).abs().argmin(1)
    return _strictly_decreasing(t[nearest], schedule)


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


def _strictly_decreasing(positions: Tensor, schedule: Schedule) -> Tensor:
    """Round decreasing positions in [0, T], pushing apart those that coincide, and end at 0."""
    n, steps = len(positions), schedule.steps
    if not 1 <= n <= steps:
        raise ValueError(
            f"cannot take {n} sampling steps on a schedule of {steps}: choose 1 to {steps}, "
            "or steps=null for all of them"
        )
    rank = torch.arange(1, n + 1)
    slack = positions.round().long().flip(0) - rank
    rising = slack.cummax(0).values.clamp(0, steps - n) + rank
    return torch.cat([rising.flip(0), rising.new_zeros(1)])
