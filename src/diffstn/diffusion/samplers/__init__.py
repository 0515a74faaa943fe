"""Samplers: walks from noise at t = T to data at t = 0."""

from diffstn.diffusion.samplers.ddim import DDIM
from diffstn.diffusion.samplers.ddpm import DDPM
from diffstn.diffusion.samplers.sampler import Sampler

__all__ = ["DDIM", "DDPM", "Sampler"]
