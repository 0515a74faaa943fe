"""What a denoiser is trained to make small."""

from collections.abc import Callable

from diffstn.diffusion.losses.classified import SIGNALS, Classified
from diffstn.diffusion.losses.hybrid import HybridLoss
from diffstn.diffusion.losses.loss import Loss
from diffstn.diffusion.losses.simple import SimpleLoss
from diffstn.diffusion.losses.variational import VariationalLoss

LOSSES: dict[str, Callable[[int | None], Loss]] = {
    "simple": lambda bins: SimpleLoss(),
    "hybrid": lambda bins: HybridLoss(bins=bins),
    "vlb": VariationalLoss,
}
"""By name; called with the number of values that the data can take, None for continuous ones."""

__all__ = [
    "LOSSES",
    "SIGNALS",
    "Classified",
    "HybridLoss",
    "Loss",
    "SimpleLoss",
    "VariationalLoss",
]
