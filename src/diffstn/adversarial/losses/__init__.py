"""What the two networks minimise."""

from diffstn.adversarial.losses.hinge import Hinge
from diffstn.adversarial.losses.loss import AdversarialLoss
from diffstn.adversarial.losses.non_saturating import NonSaturating
from diffstn.adversarial.losses.wgan_gp import WGANGP

LOSSES: dict[str, type[AdversarialLoss]] = {
    "non_saturating": NonSaturating,
    "hinge": Hinge,
    "wgan_gp": WGANGP,
}

__all__ = ["LOSSES", "WGANGP", "AdversarialLoss", "Hinge", "NonSaturating"]
