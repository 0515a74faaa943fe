"""The mathematics of two networks that learn from each other. Torch and `spatial` alone."""

from diffstn.adversarial.adaptive import Adaptive
from diffstn.adversarial.augment import NUMBERS, augment
from diffstn.adversarial.losses import LOSSES, WGANGP, AdversarialLoss, Hinge, NonSaturating
from diffstn.adversarial.penalties import one_centred, zero_centred
from diffstn.adversarial.unrolled import unrolled

__all__ = [
    "LOSSES",
    "NUMBERS",
    "WGANGP",
    "Adaptive",
    "AdversarialLoss",
    "Hinge",
    "NonSaturating",
    "augment",
    "one_centred",
    "unrolled",
    "zero_centred",
]
