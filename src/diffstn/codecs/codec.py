"""Between data and what is diffused."""

from typing import Protocol

from torch import Tensor

from diffstn.data.facts import Facts


class Codec(Protocol):
    """Turns items of data into the tensors that a process makes noisy, and back.

    Training encodes and sampling decodes, each in one place; a denoiser, its losses and its
    samplers see what is encoded alone.

    A codec that has to know the data's scale has a method `fit` besides, called with batches of
    training items before a model begins to learn.
    """

    clip: float | None
    """Bound on the size of x_0's numbers; None: there is none."""
    bins: int | None
    """Values that a number of x_0 can take in [−1, 1]; None: any."""

    def facts(self, data: Facts) -> Facts:
        """What a network must know of the encoded items, given the facts of the data."""
        ...

    def encode(self, items: Tensor) -> Tensor:
        """Items (B, *) → x_0 (B, *'), of about unit scale."""
        ...

    def decode(self, x_0: Tensor) -> Tensor:
        """x_0 (B, *') → items (B, *), within the range of the data."""
        ...
