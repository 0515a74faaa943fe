"""The range in which images are diffused."""

from torch import Tensor

from diffstn.data.facts import Facts


class Pixels:
    """x_0 = 2 · image − 1: images in [0, 1] as data in [−1, 1].

    Decoding cuts off what lies outside, and gives float32. A pixel is one of 256 values.
    """

    clip = 1.0
    bins = 256

    def facts(self, data: Facts) -> Facts:
        return data

    def encode(self, items: Tensor) -> Tensor:
        return 2 * items - 1

    def decode(self, x_0: Tensor) -> Tensor:
        return ((x_0.float() + 1) / 2).clamp(0, 1)

    def unclipped(self, x_0: Tensor) -> Tensor:
        """As `decode`, but nothing is cut off: gradients pass wherever x_0 lies."""
        return (x_0.float() + 1) / 2
