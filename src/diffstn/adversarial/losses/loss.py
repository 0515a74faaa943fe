"""What every adversarial loss says."""

from abc import ABC, abstractmethod

from torch import Tensor

from diffstn.adversarial.penalties import Critic, zero_centred


class AdversarialLoss(ABC):
    """Of scores (B,) that a discriminator gives, high for real; computed in float32.

    Attributes:
        weight: of the penalty, where nobody asks for another.
        interval: steps from one penalty to the next, likewise. One that is taken every n steps
            counts n times ("lazy regularisation", Karras et al., 2020).
    """

    weight: float
    interval: int

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator minimises, without its penalty: a number."""

    @abstractmethod
    def generator(self, fake: Tensor) -> Tensor:
        """What the generator minimises: a number."""

    def penalty(
        self, critic: Critic, real: Tensor, fake: Tensor, weight: float, between: Tensor
    ) -> Tensor:
        """On the discriminator's slope, R1 unless a loss has one of its own.

        Args:
            critic: the discriminator.
            real, fake: items (B, *), as the discriminator sees them.
            weight: of it.
            between: (B,), uniform in [0, 1], for penalties that look between items.
        """
        return zero_centred(critic, real, fake, weight)
