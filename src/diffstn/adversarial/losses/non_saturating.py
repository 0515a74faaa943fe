"""The loss of the first GAN, as it is trained in practice."""

import torch.nn.functional as F
from torch import Tensor

from diffstn.adversarial.losses.loss import AdversarialLoss


class NonSaturating(AdversarialLoss):
    r"""D minimises $\mathbb E\,s(-D(x)) + \mathbb E\,s(D(\tilde x))$, G minimises
    $\mathbb E\,s(-D(\tilde x))$, with $s(a) = \log(1 + e^a)$.

    For a fixed generator the best D is $\log \frac{p(x)}{\tilde p(x)}$. With G that minimises
    $-\mathbb E\,s(D(\tilde x))$ instead, the game is that of the Jensen–Shannon divergence, whose
    gradient vanishes where D is sure.

    Source: Goodfellow et al., Generative Adversarial Nets, 2014.
    """

    weight, interval = 0.1, 16

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-real.float()).mean() + F.softplus(fake.float()).mean()

    def generator(self, fake: Tensor) -> Tensor:
        return F.softplus(-fake.float()).mean()
