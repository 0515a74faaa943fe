"""The Fréchet distance between what a network sees in two sets of images."""

import torch
from torch import Tensor


def frechet_distance(
    mean_a: Tensor, covariance_a: Tensor, mean_b: Tensor, covariance_b: Tensor
) -> Tensor:
    r"""‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^{1/2}), the squared W₂ of two normals.

    The trace of the root is the sum of the roots of the eigenvalues of Σ_a^{1/2} Σ_b Σ_a^{1/2},
    which is symmetric: no complex numbers, and singular covariances do no harm.

    In features of D numbers its value depends on them and, through a bias of order 1 / N, on the
    number of images: quote both.

    Source: Dowson and Landau, 1982; for images: Heusel et al., GANs Trained by a Two Time-Scale
    Update Rule, 2017, eq. 6; the bias: Chong and Forsyth, Effectively Unbiased FID, 2020.
    """
    values, vectors = torch.linalg.eigh(covariance_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    shared = torch.linalg.eigvalsh(root @ covariance_b @ root).clamp(min=0).sqrt().sum()
    apart = (mean_a - mean_b).square().sum()
    return (apart + covariance_a.trace() + covariance_b.trace() - 2 * shared).clamp(min=0)
