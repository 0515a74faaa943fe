"""Distributions of noise beside the normal one."""

from diffstn.diffusion.noises.laplace import Laplace
from diffstn.diffusion.noises.noise import Noise
from diffstn.diffusion.noises.normal import Normal
from diffstn.diffusion.noises.uniform import Uniform

NOISES: dict[str, Noise] = {"gaussian": Normal(), "uniform": Uniform(), "laplace": Laplace()}

__all__ = ["NOISES", "Laplace", "Noise", "Normal", "Uniform"]
