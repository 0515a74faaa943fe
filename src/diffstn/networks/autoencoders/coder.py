"""An autoencoder with its regularisation: images to latents and back."""

from typing import Any, NamedTuple

from torch import Tensor, nn


class Coded(NamedTuple):
    """A batch on its way through, while it trains."""

    images: Tensor
    """(B, C, H, W), not bounded."""
    loss: Tensor
    """Of the regularisation, a scalar."""
    logged: dict[str, Tensor]


class Coder(nn.Module):
    """Encode, regularise, decode.

    Args:
        network: with `encode`, `decode` and `latent`, see `ConvAutoencoder`.
        regularisation: of the latents, `KL` or `VQ`.

    Shapes: images (B, C, H, W) in [0, 1], latents (B, c, h, w).
    """

    def __init__(self, network: Any, regularisation: Any) -> None:
        super().__init__()
        self.network, self.regularisation = network, regularisation

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(c, h, w)."""
        return self.network.latent

    def forward(self, images: Tensor, eps: Tensor) -> Coded:
        """Images as they come out, by way of random latents if the regularisation has such.

        Args:
            eps: N(0, I), (B, c, h, w).
        """
        seen = self.regularisation(self.network.encode(2 * images - 1), eps)
        made = (self.network.decode(seen.latent).float() + 1) / 2
        return Coded(made, seen.loss, seen.logged)

    def encode(self, images: Tensor) -> Tensor:
        """Latents in float32, without chance."""
        return self.regularisation.latent(self.network.encode(2 * images - 1))

    def decode(self, latent: Tensor) -> Tensor:
        """Images in [0, 1], float32."""
        made = self.network.decode(self.regularisation.settled(latent))
        return ((made.float() + 1) / 2).clamp(0, 1)
