"""Processes: how clean data turn into noise."""

from diffstn.diffusion.processes.gaussian import Gaussian
from diffstn.diffusion.processes.noised import Noised
from diffstn.diffusion.processes.process import Process
from diffstn.diffusion.processes.wrapped import Wrapped

__all__ = ["Gaussian", "Noised", "Process", "Wrapped"]
