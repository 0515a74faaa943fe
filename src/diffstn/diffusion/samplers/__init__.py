"""Samplers: walks from noise at t = T to data at t = 0."""

from diffstn.diffusion.samplers.ancestral import Ancestral
from diffstn.diffusion.samplers.annealed_langevin import AnnealedLangevin
from diffstn.diffusion.samplers.cold import Cold, ColdNaive
from diffstn.diffusion.samplers.ddim import DDIM
from diffstn.diffusion.samplers.deis import DEIS
from diffstn.diffusion.samplers.dpm_solver import DPMSolver
from diffstn.diffusion.samplers.langevin import Langevin
from diffstn.diffusion.samplers.sampler import Sampler
from diffstn.diffusion.samplers.trajectory import Trajectory, collect

__all__ = [
    "DDIM",
    "DEIS",
    "Ancestral",
    "AnnealedLangevin",
    "Cold",
    "ColdNaive",
    "DPMSolver",
    "Langevin",
    "Sampler",
    "Trajectory",
    "collect",
]
