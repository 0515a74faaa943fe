"""Normalisations by name."""

from collections.abc import Callable
from functools import partial

from torch import nn

from diffstn.networks.blocks.conditional_norm import ConditionalNorm
from diffstn.networks.blocks.modulated_batch_norm import LEVELS, ModulatedBatchNorm
from diffstn.networks.blocks.modulated_group_norm import ModulatedGroupNorm

NormFactory = Callable[[int, int], nn.Module]
"""Groups, channels → a norm that is called with h, s, b and what it is `told`."""

STATISTICS: dict[str, Callable[[int], NormFactory]] = {
    "group": lambda steps: ModulatedGroupNorm,
    "batch": lambda steps: ModulatedBatchNorm,
    "batch_by_level": lambda steps: partial(
        ModulatedBatchNorm, levels=min(LEVELS, steps), steps=steps
    ),
    "live_batch": lambda steps: partial(ModulatedBatchNorm, live=True),
}
"""What is normalised by, by name; called with T."""


def by_class(norm: NormFactory, classes: int) -> NormFactory:
    """The norm with scale and shift of the class."""
    return lambda groups, channels: ConditionalNorm(norm(groups, channels), channels, classes)


NAMES = (*STATISTICS, *(f"conditional_{name}" for name in STATISTICS))


class Norms:
    """The choice of a norm: its factory, and whether it hears the class.

    Args:
        name: one of `NAMES`, or a factory of one's own.
        classes: number of labels.
        steps: T.

    Raises:
        ValueError: there is no such norm, or it wants two classes or more and there are fewer.
    """

    def __init__(self, name: str | NormFactory, classes: int, steps: int) -> None:
        self.hears_label = isinstance(name, str) and name.startswith("conditional_")
        if not isinstance(name, str):
            self.factory = name
            return
        if name not in NAMES:
            raise ValueError(f"unknown network.norm={name}; choose one of {', '.join(NAMES)}")
        if self.hears_label and classes == 1:
            raise ValueError(f"network.norm={name} tells classes apart, and the data have one")
        if self.hears_label and not classes:
            raise ValueError(
                f"network.norm={name} is told the class: model.conditional=true, or"
                f" network.norm={name.removeprefix('conditional_')}"
            )
        self.factory = STATISTICS[name.removeprefix("conditional_")](steps)
        if self.hears_label:
            self.factory = by_class(self.factory, classes)
