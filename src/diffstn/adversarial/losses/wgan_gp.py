"""The Wasserstein loss with a gradient penalty."""

from torch import Tensor

from diffstn.adversarial.losses.loss import AdversarialLoss
from diffstn.adversarial.penalties import Critic, one_centred


class WGANGP(AdversarialLoss):
    r"""D minimises $\mathbb E\,D(\tilde x) - \mathbb E\,D(x)$, G minimises
    $-\mathbb E\,D(\tilde x)$.

    Over all D of Lipschitz constant 1 the negative minimum is the distance $W_1(p, \tilde p)$
    (Kantorovich and Rubinstein): it grows with how far away a missing mode is, and its gradient
    does not vanish where the two do not overlap. The penalty keeps the slope of D near 1. D must be
    near its best for this, so it takes several steps for one of G.

    Source: Arjovsky et al., Wasserstein GAN, 2017; Gulrajani et al., 2017.
    """

    weight, interval = 10.0, 1

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.float().mean() - real.float().mean()

    def generator(self, fake: Tensor) -> Tensor:
        return -fake.float().mean()

    def penalty(
        self, critic: Critic, real: Tensor, fake: Tensor, weight: float, between: Tensor
    ) -> Tensor:
        return one_centred(critic, real, fake, weight, between)
