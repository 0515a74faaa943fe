"""The layers between a network and what is added to it later."""

from torch import nn


def zero_conv(inputs: int, outputs: int) -> nn.Conv2d:
    """A 1×1 convolution whose weights and bias are zero, and so its answer, until it is trained.

    Source: Zhang et al., Adding Conditional Control to Text-to-Image Diffusion Models, 2023,
    section 3.1.
    """
    layer = nn.Conv2d(inputs, outputs, 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
