"""A trained network whose weights are kept elsewhere."""

from collections.abc import Callable
from typing import Any

from torch import nn


class Borrowed(nn.Module):
    """Holds a network that does not learn and is none of its parts.

    It goes along to a device or a memory format, but has neither parameters nor a state here: they
    stand in no optimiser, no average and no checkpoint. Gradients flow through it to its inputs.

    Args:
        network: in evaluation mode from now on.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._held = (network.eval().requires_grad_(False),)  # in a tuple: no part of ours

    @property
    def network(self) -> Any:
        """The network itself."""
        return self._held[0]

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> "Borrowed":
        self.network._apply(fn, recurse)
        return super()._apply(fn, recurse)
