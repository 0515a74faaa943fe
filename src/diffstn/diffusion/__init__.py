"""Diffusion models for tensors of any shape: processes, denoisers, losses, wrappers, samplers.

Five pieces compose. A *process* makes noise of data, with as much signal at each timestep as its
*schedule* says, a *denoiser* makes a network speak of clean data and noise, a *loss* trains it, a
*wrapper* leads or bounds it, and a *sampler* walks from noise to data. Nothing here knows
whether it diffuses poses (B, 6), clouds (B, N, 2) or images (B, C, H, W).
"""

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoised, Denoiser, Denoises
from diffstn.diffusion.importance import LossSecondMoment
from diffstn.diffusion.likelihood import Bound, likelihood_bound
from diffstn.diffusion.losses import HybridLoss, Loss, SimpleLoss, VariationalLoss
from diffstn.diffusion.noise import gaussian_noise
from diffstn.diffusion.on_circle import OnCircle
from diffstn.diffusion.prediction import X0, Eps, Prediction, V
from diffstn.diffusion.processes import Gaussian, Noised, Process, Wrapped
from diffstn.diffusion.restorer import Restored, Restorer
from diffstn.diffusion.score import score
from diffstn.diffusion.timesteps import (
    shuffled_timesteps,
    stratified_timesteps,
    uniform_timesteps,
)
from diffstn.diffusion.variance import FixedLarge, FixedSmall, LearnedRange, Variance
from diffstn.diffusion.weighting import MinSNR, Unweighted

__all__ = [
    "X0",
    "Bound",
    "Denoised",
    "Denoiser",
    "Denoises",
    "Eps",
    "FixedLarge",
    "FixedSmall",
    "Gaussian",
    "HybridLoss",
    "LearnedRange",
    "Loss",
    "LossSecondMoment",
    "MinSNR",
    "Noised",
    "OnCircle",
    "Prediction",
    "Process",
    "Restored",
    "Restorer",
    "SimpleLoss",
    "Unweighted",
    "V",
    "Variance",
    "VariationalLoss",
    "Wrapped",
    "broadcast",
    "gaussian_noise",
    "likelihood_bound",
    "score",
    "shuffled_timesteps",
    "stratified_timesteps",
    "uniform_timesteps",
]
