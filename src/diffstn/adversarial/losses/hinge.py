"""The hinge loss."""

from torch import Tensor

from diffstn.adversarial.losses.loss import AdversarialLoss


class Hinge(AdversarialLoss):
    r"""D minimises $\mathbb E\,(1 - D(x))_+ + \mathbb E\,(1 + D(\tilde x))_+$, G minimises
    $-\mathbb E\,D(\tilde x)$: what D tells apart by the margin teaches it no more.

    Source: Lim and Ye, Geometric GAN, 2017; Miyato et al., Spectral Normalization, 2018.
    """

    weight, interval = 0.1, 16

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (1 - real.float()).relu().mean() + (1 + fake.float()).relu().mean()

    def generator(self, fake: Tensor) -> Tensor:
        return -fake.float().mean()
