"""A network asked about many images, so many at a time."""

from collections.abc import Callable

import torch
from torch import Tensor

AT_ONCE = 128
"""Images in a portion."""


def in_portions(network: Callable[..., Tensor], images: Tensor, *told: Tensor) -> Tensor:
    """network(images, *told), (B, *), all of them with B rows.

    On a CPU and without gradients, portion by portion. What a network makes of thousands of images
    lies in new memory at every layer, and to be given those pages costs as much as the arithmetic:
    the maps of 128 images fit in what the process has already. A network that works on a batch as a
    whole, as a batch norm in training does, is not asked in portions.
    """
    batched = images.device.type != "cpu" or torch.is_grad_enabled()
    if batched or torch.compiler.is_compiling() or torch.jit.is_tracing():
        return network(images, *told)
    if getattr(network, "training", False) or len(images) <= AT_ONCE:
        return network(images, *told)
    parts = (one.split(AT_ONCE) for one in (images, *told))
    return torch.cat([network(*some) for some in zip(*parts, strict=True)])
