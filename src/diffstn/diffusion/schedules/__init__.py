"""Noise schedules: t in {0, ..., T} to the amounts of signal and noise in x_t."""

from diffstn.diffusion.schedules.constant import Constant
from diffstn.diffusion.schedules.cosine import Cosine
from diffstn.diffusion.schedules.geometric import Geometric
from diffstn.diffusion.schedules.linear import Linear
from diffstn.diffusion.schedules.quadratic import Quadratic
from diffstn.diffusion.schedules.schedule import Schedule
from diffstn.diffusion.schedules.sigmoid import Sigmoid

__all__ = ["Constant", "Cosine", "Geometric", "Linear", "Quadratic", "Schedule", "Sigmoid"]
