"""An encoder that hears the slow waves of an image and nothing else."""

import torch
from torch import Tensor, nn

from diffstn.diffusion.processes.blur import cosines


class LowFrequencyEncoder(nn.Module):
    r"""The lowest n × n coefficients of the discrete cosine transform, then a small network.

    With $C_{kj} \propto \cos(\pi k (j + ½) / N)$ the orthonormal cosines of a side of N pixels, an
    image x has the coefficients

    $$X = C\,x\,C^\top, \qquad x = C^\top X\,C, \qquad \sum X_{kl}^2 = \sum x_{ij}^2.$$

    Of X the corner k, l < n is kept: the projection onto all waves of at most (n − 1)/2 periods
    in each direction, an image of n × n numbers whatever its size. Noise and fine strokes are gone;
    where the content is and how it lies stays. Cosines and not Fourier's waves, for these take the
    opposite borders of an image for neighbours. The coefficients are large where k and l are small,
    so a batch norm brings each to the same scale before two linear layers read them.

    Args:
        channels: of the image.
        size: (height, width) of the image in pixels.
        frequencies: n.
        hidden: length of the layer between.
        features: length of the embedding.

    Shapes: (B, channels, H, W) → (B, features).

    Raises:
        ValueError: n is not between 1 and the shorter side.

    Source: Ahmed, Natarajan and Rao, Discrete Cosine Transform, 1974; a network that reads
    coefficients: Gueguen et al., Faster Neural Networks Straight from JPEG, 2018.
    """

    rows: Tensor
    columns: Tensor

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        frequencies: int = 12,
        hidden: int = 256,
        features: int = 256,
    ) -> None:
        super().__init__()
        if not 1 <= frequencies <= min(size):
            raise ValueError(
                f"encoder.frequencies={frequencies}: images of {size[0]}x{size[1]} px have 1 to"
                f" {min(size)}"
            )
        self.features = features
        rows, columns = (cosines(side)[:frequencies].float() for side in size)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)
        kept = channels * frequencies**2
        self.norm = nn.BatchNorm1d(kept)
        self.head = nn.Sequential(
            nn.Linear(kept, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, features, bias=False),
            nn.BatchNorm1d(features),
            nn.ReLU(inplace=True),
        )

    def coefficients(self, image: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, n, n), the slowest first, in float32."""
        with torch.autocast(image.device.type, enabled=False):
            return self.rows @ image.float() @ self.columns.mT

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.norm(self.coefficients(image).flatten(1)))
