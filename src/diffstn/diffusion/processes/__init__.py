"""Processes: how clean data turn into noise, or into what is no image any more."""

from diffstn.diffusion.processes.blur import Blur
from diffstn.diffusion.processes.gaussian import Gaussian
from diffstn.diffusion.processes.noised import Noised
from diffstn.diffusion.processes.pixelate import Pixelate
from diffstn.diffusion.processes.process import Process
from diffstn.diffusion.processes.separable import Separable
from diffstn.diffusion.processes.until import Until
from diffstn.diffusion.processes.wrapped import Wrapped

__all__ = ["Blur", "Gaussian", "Noised", "Pixelate", "Process", "Separable", "Until", "Wrapped"]
