"""Noise with heavy tails."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffstn.diffusion.noises.noise import Noise


class Laplace(Noise):
    """Density e^(−√2 |ε|) / √2: ε = −sign(z) log(2 Φ(−|z|)) / √2.

    log Φ is taken as a function of its own, so that the tails are exact as far as z goes.
    """

    def __call__(self, z: Tensor) -> Tensor:
        beyond = math.log(2) + torch.special.log_ndtr(-z.abs())
        return -z.sign() * beyond / 2**0.5
