"""Data that are diffused as they are."""

from torch import Tensor

from diffstn.data.facts import Facts


class AsIs:
    """Points and clouds, which come in unit scale: x_0 are the items themselves."""

    clip = None
    bins = None

    def facts(self, data: Facts) -> Facts:
        return data

    def encode(self, items: Tensor) -> Tensor:
        return items

    def decode(self, x_0: Tensor) -> Tensor:
        return x_0.float()
