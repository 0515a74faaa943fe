"""Controls: what is seen of an image, by which a diffusion model is led."""

from diffstn.data.controls.control import Control
from diffstn.data.controls.distorted import Distorted
from diffstn.data.controls.edges import Edges
from diffstn.data.controls.half import Half
from diffstn.data.controls.low_resolution import LowResolution

__all__ = ["Control", "Distorted", "Edges", "Half", "LowResolution"]
