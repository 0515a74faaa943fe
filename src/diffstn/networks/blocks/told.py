"""What a block may know beside features and their condition."""

from typing import NamedTuple

from torch import Tensor


class Told(NamedTuple):
    """Timestep and class of each item, for normalisations that depend on them."""

    t: Tensor
    """(B,)."""
    label: Tensor | None = None
    """(B,); None: no class."""
