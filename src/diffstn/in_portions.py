"""A network asked about many items, so many at a time."""

from collections.abc import Callable

import torch
from torch import Tensor

NUMBERS = 2**16
"""In a portion of items: 83 digits of 28 × 28 pixels, 21 photographs of 3 × 32 × 32."""


def in_portions(
    network: Callable[..., Tensor], items: Tensor, *told: Tensor, **named: Tensor | None
) -> Tensor:
    """network(items, *told, **named), (B, *), all of them with B rows.

    On a CPU and without gradients, portion by portion. What a network makes of hundreds of images
    lies in new memory at every layer, and to be given those pages costs as much as the arithmetic;
    the maps of a portion fit in what the process has already. A network in training is asked once,
    for a batch norm looks at the batch as a whole.
    """
    rows = max(1, NUMBERS // max(1, items.shape[1:].numel()))
    whole = items.device.type != "cpu" or torch.is_grad_enabled()
    whole = whole or torch.compiler.is_compiling() or torch.jit.is_tracing()
    if whole or getattr(network, "training", False) or len(items) <= rows:
        return network(items, *told, **named)
    parts = zip(*(one.split(rows) for one in (items, *told)), strict=True)
    names = {name: one.split(rows) for name, one in named.items() if one is not None}
    return torch.cat(
        [network(*some, **{n: ps[i] for n, ps in names.items()}) for i, some in enumerate(parts)]
    )
