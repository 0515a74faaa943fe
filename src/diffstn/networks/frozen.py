"""A network that no longer learns."""

from typing import Any

from torch import nn


class Frozen(nn.Module):
    """Wrap a network so that it stays in evaluation mode and takes no gradient of its own.

    Gradients still flow *through* it to its input, which is how a frozen judge teaches a spatial
    transformer.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "Frozen":
        super().train(False)
        return self

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.network(*args, **kwargs)
