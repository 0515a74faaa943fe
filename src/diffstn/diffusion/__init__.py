"""Diffusion models for tensors of any shape: schedules, denoisers, losses, guidance, samplers.

Five pieces compose. A *schedule* says how much signal and noise there is at each timestep, a
*denoiser* makes a network speak of clean data and noise, a *loss* trains it, a *guidance* leads it,
and a *sampler* walks from noise to data. Nothing here knows whether it diffuses poses (B, 6),
clouds (B, N, 2) or images (B, C, H, W).
"""

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoised, Denoiser, Denoises
from diffstn.diffusion.importance import LossSecondMoment
from diffstn.diffusion.likelihood import Bound, likelihood_bound
from diffstn.diffusion.losses import HybridLoss, Loss, SimpleLoss, VariationalLoss
from diffstn.diffusion.noise import gaussian_noise
from diffstn.diffusion.prediction import X0, Eps, Prediction, V
from diffstn.diffusion.timesteps import stratified_timesteps, uniform_timesteps
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
    "HybridLoss",
    "LearnedRange",
    "Loss",
    "LossSecondMoment",
    "MinSNR",
    "Prediction",
    "SimpleLoss",
    "Unweighted",
    "V",
    "Variance",
    "VariationalLoss",
    "broadcast",
    "gaussian_noise",
    "likelihood_bound",
    "stratified_timesteps",
    "uniform_timesteps",
]
