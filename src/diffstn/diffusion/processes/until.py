"""A process that is broken off."""

from __future__ import annotations

from torch import Tensor

from diffstn.diffusion.processes.process import Process


class Until:
    """The first timesteps of a process: data that were degraded so far, and no further.

    A sampler that is to undo it starts there. It has no prior, for data there are no noise.

    Args:
        process: what is broken off.
        steps: where, from 1 to its T.

    Raises:
        ValueError: there is no such timestep.
    """

    def __init__(self, process: Process, steps: int) -> None:
        if not 1 <= steps <= process.steps:
            raise ValueError(f"timestep {steps}: choose 1 to {process.steps}")
        self.process, self.steps = process, steps

    def noise(self, z: Tensor) -> Tensor:
        """That of the process."""
        return self.process.noise(z)

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """As the process does, see `Process`."""
        return self.process.corrupt(x_0, t, noise)
