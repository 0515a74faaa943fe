"""Processes: how clean data turn into noise."""

from diffstn.diffusion.processes.gaussian import Gaussian
from diffstn.diffusion.processes.process import Process

__all__ = ["Gaussian", "Process"]
