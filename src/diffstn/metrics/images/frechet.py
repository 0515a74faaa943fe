"""The Fréchet distance between what a network sees in two sets of images."""

import torch
from torch import Tensor
from torchmetrics import Metric

from diffstn.metrics.images.features import Features
from diffstn.metrics.images.moments import Moments


def frechet_distance(
    mean_a: Tensor, covariance_a: Tensor, mean_b: Tensor, covariance_b: Tensor
) -> Tensor:
    r"""‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^{1/2}), the squared W₂ of two normals.

    The trace of the root is the sum of the roots of the eigenvalues of Σ_a^{1/2} Σ_b Σ_a^{1/2},
    which is symmetric: no complex numbers, and singular covariances do no harm.

    Source: Dowson and Landau, 1982; for images: Heusel et al., GANs Trained by a Two Time-Scale
    Update Rule, 2017, eq. 6.
    """
    values, vectors = torch.linalg.eigh(covariance_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    shared = torch.linalg.eigvalsh(root @ covariance_b @ root).clamp(min=0).sqrt().sum()
    apart = (mean_a - mean_b).square().sum()
    return (apart + covariance_a.trace() + covariance_b.trace() - 2 * shared).clamp(min=0)


class FrechetDistance(Metric):
    """FID in any features: streams of real and of generated images, moments in float64.

    The value depends on the features and, through a bias of order 1 / N, on the number of images:
    quote both.

    Args:
        features: what looks at the images. It is no submodule of the metric, so it appears in no
            checkpoint.

    Source: Heusel et al., 2017; the bias: Chong and Forsyth, Effectively Unbiased FID, 2020.
    """

    full_state_update = False

    def __init__(self, features: Features) -> None:
        super().__init__()
        self._features = (features,)
        self.real, self.generated = Moments(features.size), Moments(features.size)

    def update(self, images: Tensor, real: bool) -> None:
        """Take in images (B, C, H, W) in [0, 1]."""
        side = self.real if real else self.generated
        side.update(self._features[0](images).features)

    def compute(self) -> Tensor:
        """The distance, in the square of the features' unit."""
        return frechet_distance(*self.real.compute(), *self.generated.compute())

    def reset(self) -> None:
        super().reset()
        self.real.reset()
        self.generated.reset()
