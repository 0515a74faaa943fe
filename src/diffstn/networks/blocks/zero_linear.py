"""The last layer of networks that should start by answering nothing."""

from torch import nn


def zero_linear(features: int, outputs: int) -> nn.Linear:
    """A linear layer whose weights and bias are zero, and so its answer, until it is trained."""
    layer = nn.Linear(features, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
