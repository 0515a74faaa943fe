"""Points from noise."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class MLPGenerator(nn.Module):
    """An MLP; its styles are the noise itself, with the label's embedding beside it.

    Args:
        dim: coordinates of a point.
        classes: number of labels; 0: none.
        latent: numbers of noise.
        width, layers: hidden layers and their features.

    Attributes:
        noise: numbers that a point is made of.

    Shapes: `styles`: noise (B, noise), label (B,) or None → (B, style).
        `synthesis`: styles, noise → (B, dim).

    Raises:
        ValueError: a number is not positive.
    """

    needs = ("points",)

    def __init__(
        self, dim: int, classes: int = 0, latent: int = 32, width: int = 128, layers: int = 3
    ) -> None:
        super().__init__()
        if min(latent, width, layers) < 1:
            raise ValueError(
                f"latent, width and layers must be at least 1, not {latent}, {width} and {layers}"
            )
        self.noise = latent
        self.embedding = nn.Embedding(classes, latent) if classes else None
        features = [latent * (2 if classes else 1), *[width] * layers]
        hidden = pairwise(features)
        self.layers = nn.Sequential(
            *(part for i, o in hidden for part in (nn.Linear(i, o), nn.ReLU())),
            nn.Linear(width, dim),
        )

    def styles(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """The noise, and what stands for the label."""
        if self.embedding is None:
            return noise
        assert label is not None
        return torch.cat([noise, self.embedding(label)], dim=1)

    def observe(self, w: Tensor, label: Tensor | None = None) -> None:
        """Nothing: the mean of the noise is known."""

    def truncated(self, w: Tensor, truncation: float, label: Tensor | None = None) -> Tensor:
        """The noise nearer to its mean, which is 0; what stands for the label as it is."""
        return torch.cat([truncation * w[:, : self.noise], w[:, self.noise :]], dim=1)

    def synthesis(self, w: Tensor, noise: Tensor) -> Tensor:
        return self.layers(w)
