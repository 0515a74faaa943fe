"""Guidance at some noise levels alone."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.wrappers.wrapper import Wrapper


class Within(Wrapper):
    """The denoiser `led` from timestep `first` to `last`, and the plain one at all others.

    At high noise guidance only narrows what can be reached, at low noise it has nothing left to
    decide; between the two it does its work.

    Args:
        denoiser: the plain one.
        led: the same, guided.
        first, last: timesteps, both within.

    Source: Kynkäänniemi et al., Applying Guidance in a Limited Interval Improves Sample and
    Distribution Quality in Diffusion Models, 2024.
    """

    def __init__(self, denoiser: Denoises, led: Denoises, first: int, last: int) -> None:
        super().__init__(denoiser)
        self.led, self.first, self.last = led, first, last

    def __call__(self, x_t: Tensor, t: Tensor, /, **condition: Any) -> Denoised:
        inside = (t >= self.first) & (t <= self.last)
        if bool(inside.all()):
            return self.led(x_t, t, **condition)
        plain = self.denoiser(x_t, t, **condition)
        if not bool(inside.any()):
            return plain
        led = self.led(x_t, t, **condition)
        here = inside.reshape(*inside.shape, *(1,) * (x_t.ndim - inside.ndim))
        x_0, eps = led.x_0.where(here, plain.x_0), led.eps.where(here, plain.eps)
        return plain._replace(x_0=x_0, eps=eps)
