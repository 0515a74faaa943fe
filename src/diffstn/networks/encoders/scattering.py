"""Wavelet scattering, which is not learned, and a small head, which is."""

import importlib.util

import torch
from torch import Tensor, nn

from diffstn.errors import UserError
from diffstn.networks.encoders.conv import normalised_convolution


class ScatteringEncoder(nn.Module):
    r"""Scattering coefficients of the image, batch norm, a 1×1 neck, then one linear layer.

    With ψ_λ wavelets of `scales` dyadic scales and `angles` directions and φ a Gaussian as wide as
    the coarsest of them, the coefficients of an image x are

    $$x * \phi, \qquad |x * \psi_\lambda| * \phi, \qquad
      \big||x * \psi_\lambda| * \psi_\mu\big| * \phi,$$

    μ coarser than λ, each read at every $2^{\text{scales}}$-th pixel: with J scales and L angles
    $1 + JL + L^2 J(J-1)/2$ numbers at each place. They are stable to small deformations and keep
    what a blur would lose. Turning an image by π/L shifts λ and μ in their angle and turns the
    places. Batch norm brings the orders, whose sizes differ a hundredfold, to one scale.

    Needs kymatio (`pip install 'diffstn[scattering]'`), of which the 2-D transform in torch alone
    is imported: the 3-D one asks SciPy for a function that newer releases no longer have. Computed
    in float32, whatever the precision around it; gradients reach the image.

    Args:
        channels: of the image; each is scattered by itself.
        size: (height, width) of the image in pixels.
        scales: J, and log2 of the distance between places.
        angles: L.
        order: 1 or 2; of order 1 are the first two kinds of coefficients.
        neck: channels that are flattened.
        features: length of the embedding.

    Shapes: (B, channels, H, W) → (B, features).

    Raises:
        UserError: kymatio is not installed.
        ValueError: a number is out of range, or a side is shorter than 2^scales pixels.

    Source: Bruna and Mallat, Invariant Scattering Convolution Networks, 2013; a small network on
    top: Oyallon et al., Scattering Networks for Hybrid Representation Learning, 2018.
    """

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        scales: int = 2,
        angles: int = 8,
        order: int = 2,
        neck: int = 32,
        features: int = 256,
    ) -> None:
        super().__init__()
        if importlib.util.find_spec("kymatio") is None:
            raise UserError("encoder=scattering needs kymatio: pip install 'diffstn[scattering]'")
        if min(scales, angles) < 1 or order not in (1, 2):
            raise ValueError(
                "scattering takes scales and angles of at least 1 and order 1 or 2, not"
                f" {scales}, {angles} and {order}"
            )
        if min(size) < 2**scales:
            raise ValueError(
                f"images of {size[0]}x{size[1]} px are too small for encoder.scales={scales}: use"
                f" {2**scales} px or more, or fewer scales"
            )
        from kymatio import Scattering2D

        self.scattering = Scattering2D(scales, tuple(size), angles, order, frontend="torch")
        self.features = features
        paths = 1 + scales * angles
        if order == 2:
            paths += angles**2 * scales * (scales - 1) // 2
        self.paths = paths
        height, width = (side // 2**scales for side in size)
        self.norm = nn.BatchNorm2d(channels * paths)
        self.head = nn.Sequential(
            normalised_convolution(channels * paths, neck, 1),
            nn.Flatten(),
            nn.Linear(neck * height * width, features, bias=False),
            nn.BatchNorm1d(features),
            nn.ReLU(inplace=True),
        )

    def coefficients(self, image: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C · paths, H / 2^scales, W / 2^scales), rounded down, in float32."""
        with torch.autocast(image.device.type, enabled=False):
            return self.scattering(image.float().contiguous()).flatten(1, 2)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.norm(self.coefficients(image)))
