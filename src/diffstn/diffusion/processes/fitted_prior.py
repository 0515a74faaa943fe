"""Where a cold process ends, as a Gaussian that is fitted to data."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SMALLEST = 1e-12
"""Variance below which a direction of the data counts as none."""


class FittedPrior(nn.Module):
    r"""$x_T = \mu + \sum_k s_k \langle u_k, z \rangle u_k + \delta z$ with z ~ N(0, I).

    μ, u_k and s_k are the mean, the principal directions and the deviations along them of degraded
    data; they are buffers and travel with the weights. As the u_k are orthonormal, ⟨u_k, z⟩ are
    independent N(0, 1), so x_T is normal with the covariance of the data, cut off after `rank`
    directions. Degraded data have few: a flat image has one for each channel.

    δ breaks the symmetry. Where x_T is perfectly flat, a sample of a deterministic walk is a
    function of its level alone; a little noise that the walk makes more of gives other samples.

    Args:
        shape: (C, H, W) of one item.
        rank: directions to keep, at most.
        noise: δ.

    Source: Bansal et al., Cold Diffusion, 2022, section 5.2, with a Gaussian of channels' means.
    """

    mean: Tensor
    root: Tensor

    def __init__(self, shape: tuple[int, ...], rank: int, noise: float) -> None:
        super().__init__()
        self.noise = noise
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("root", torch.zeros(min(rank, self.mean.numel()), *shape))

    @torch.no_grad()
    def fit(self, x_T: Tensor) -> None:
        """Take μ, u_k and s_k from degraded data (N, C, H, W), N ≥ 2.

        The rows of `root` are √s_k u_k, so that rootᵀ root is the root of the covariance.
        """
        flat = x_T.double().flatten(1)
        mean = flat.mean(0)
        centred = (flat - mean) / (len(flat) - 1) ** 0.5
        wide = flat.shape[1] > len(flat)
        values, vectors = torch.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
        values, order = values.sort(descending=True)
        kept = order[: len(self.root)][values[: len(self.root)] > SMALLEST]
        spread = values[: len(kept)].sqrt()
        directions = vectors[:, kept].T
        if wide:
            directions = directions @ centred / spread[:, None]
        self.mean.copy_(mean.reshape(self.mean.shape))
        self.root.zero_()
        rows = spread.sqrt()[:, None] * directions
        self.root[: len(rows)] = rows.reshape(-1, *self.mean.shape).to(self.root)

    def forward(self, z: Tensor) -> Tensor:
        """x_T (B, C, H, W) of z ~ N(0, I) of the same shape."""
        with torch.autocast(z.device.type, enabled=False):
            root = self.root.flatten(1)
            spread = z.float().flatten(1) @ root.T @ root
            return self.mean + spread.reshape(z.shape) + self.noise * z
