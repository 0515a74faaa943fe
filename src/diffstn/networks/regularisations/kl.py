"""Latents that are kept near a standard normal distribution."""

from torch import Tensor, nn

from diffstn.annotations import NotNegative
from diffstn.networks.regularisations.regularised import Regularised

SMALLEST, LARGEST = -20.0, 10.0
"""Of a log-variance."""


class KL(nn.Module):
    r"""$q(z|x) = \mathcal N(\mu, s^2)$, number by number, and in the loss
    $w\,\mathrm{KL}(q\,\|\,\mathcal N(0, 1)) = w\,\tfrac12 (\mu^2 + s^2 - 1 - \log s^2)$.

    The divergence is the mean over the numbers of a latent, as the error is over those of an
    image. A
    small w only holds the latents together, and lets them say nearly all of the image.

    Args:
        latent_channels: c.
        weight: w.

    Shapes: (B, 2c, h, w), the means and then the log-variances → (B, c, h, w).

    Source: Kingma and Welling, Auto-Encoding Variational Bayes, 2014, appendix B; the small
    weight: Rombach et al., 2022, section 3.1.
    """

    moments = 2

    def __init__(self, latent_channels: int, weight: NotNegative = 1e-4) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, answered: Tensor, eps: Tensor) -> Regularised:
        """A sample μ + s ε, with ε (B, c, h, w) ~ N(0, I)."""
        mean, log_variance = answered.float().chunk(2, dim=1)
        log_variance = log_variance.clamp(SMALLEST, LARGEST)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        deviation = (0.5 * log_variance).exp()
        logged = {"kl": kl.detach(), "latent_noise": deviation.detach().mean()}
        return Regularised(mean + deviation * eps, self.weight * kl, logged)

    def latent(self, answered: Tensor) -> Tensor:
        """The mean."""
        return answered.float().chunk(2, dim=1)[0]

    def settled(self, latent: Tensor) -> Tensor:
        """What the decoder sees of any latent: the latent."""
        return latent

    def codes(self, latent: Tensor) -> Tensor | None:
        """There are none."""
        return None
