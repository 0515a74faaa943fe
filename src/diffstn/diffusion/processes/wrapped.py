"""An angle diffused on its circle, beside numbers diffused on their lines."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.processes.gaussian import Gaussian
from diffstn.diffusion.schedules import Schedule

TURN = 2 * math.pi
LEAST, MOST = 3.0, 100.0
"""σ_T / α_T in radians; from 3 on the density is within 2 e^(−σ² / 2) = 2 % of the uniform one."""


class Wrapped(Gaussian):
    r"""Gaussian noise where the first entry of x_0 (*, D) is an angle, in radians.

        x_t = α_t φ_t,    φ_t = φ_0 + (σ_t / α_t) ε mod 2π,    and at T uniform on the circle

    The circle is the line rolled up, and so is the process: φ_t is wrapped normal. Its mean speed
    is E[ε | x_t] for an x_t that is known up to whole turns, which `OnCircle` sees to, and
    −ε̂ / σ_t is the score of the wrapped density. So every sampler walks it on the line.

    Args:
        schedule: α_t and σ_t; the noise at T must go round the circle, and not too often.

    Raises:
        ValueError: σ_T / α_T is below 3 radians, and x_T not uniform, or above 100, by which errors
            of ε̂ would be multiplied.

    Source: De Bortoli et al., Riemannian Score-Based Generative Modelling, 2022; the wrapped normal
    kernel on the circle: Jing et al., Torsional Diffusion, 2022, section 3.2.
    """

    def __init__(self, schedule: Schedule) -> None:
        super().__init__(schedule)
        reach = self.line_sigma(torch.tensor(schedule.steps))
        if not LEAST <= reach <= MOST:
            raise ValueError(
                "noise=wrapped has to go round the circle: its deviation at the end must be"
                f" {LEAST:g} to {MOST:g} radians, not {reach:.2g}: schedule=geometric"
                " schedule.sigma_max=8"
            )

    def line_sigma(self, t: Tensor) -> Tensor:
        """σ_t / α_t, the deviation of the unrolled angle."""
        return (-self.log_snr(t) / 2).exp()

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t as of `Gaussian`, its angle wrapped to [−π, π)."""
        x_t = super().corrupt(x_0, t, noise)
        alpha = broadcast(self.schedule.alpha(t), x_t)
        return torch.cat([alpha * wrap(x_t / alpha)[..., :1], x_t[..., 1:]], dim=-1)

    def prior(self, z: Tensor, around: Tensor | float = 0.0) -> Tensor:
        """σ_T z, (*, D), but for an angle uniform on the circle, φ = 2π Φ(z) − π + around, (*)."""
        x_T = super().prior(z)
        alpha = self.schedule.alpha(torch.tensor(self.steps, device=z.device))
        angle = alpha * wrap(TURN * torch.special.ndtr(z[..., 0]) - math.pi + around)
        return torch.cat([angle[..., None], x_T[..., 1:]], dim=-1)


def wrap(angle: Tensor) -> Tensor:
    """The same angle in [−π, π)."""
    return (angle + math.pi).remainder(TURN) - math.pi
