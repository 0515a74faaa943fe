"""What cold processes of images have in common that work on rows and columns alike."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffstn.diffusion.processes.fitted_prior import FittedPrior


class Separable(nn.Module):
    """x_t = L_t x_0 R_tᵀ, channel by channel: a linear map of the rows and one of the columns.

    Nothing is random on the way. Every image of a batch may be at another t, at the price of two
    small products of matrices.

    Args:
        rows: L_t, (T + 1, H, H), L_0 = I.
        columns: R_t, (T + 1, W, W), R_0 = I.
        channels: C of the images.
        rank, noise: of the prior, see `FittedPrior`.

    Raises:
        ValueError: a number is out of range.
    """

    rows: Tensor
    columns: Tensor

    def __init__(
        self, rows: Tensor, columns: Tensor, channels: int, rank: int, noise: float
    ) -> None:
        super().__init__()
        if rank < 1 or not noise >= 0:
            raise ValueError(f"rank must be at least 1 and noise at least 0, not {rank}, {noise}")
        self.register_buffer("rows", rows.float(), persistent=False)
        self.register_buffer("columns", columns.float(), persistent=False)
        self.end = FittedPrior((channels, rows.shape[-1], columns.shape[-1]), rank, noise)

    @property
    def steps(self) -> int:
        """T, the number of timesteps."""
        return len(self.rows) - 1

    def noise(self, z: Tensor) -> Tensor:
        """Nothing is random here: z as it is, of which `corrupt` makes no use."""
        return z

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor | None = None) -> Tensor:
        """x_t for x_0 (B, C, H, W) and t (B,) from 0 to T, in float32."""
        with torch.autocast(x_0.device.type, enabled=False):
            return self.rows[t][:, None] @ x_0.float() @ self.columns[t][:, None].mT

    def fit(self, x_0: Tensor) -> None:
        """Let the prior be that of the data of which x_0 (N, C, H, W) are examples."""
        self.end.fit(self.corrupt(x_0, torch.full((len(x_0),), self.steps, device=x_0.device)))

    def prior(self, z: Tensor) -> Tensor:
        """x_T of z ~ N(0, I), (B, C, H, W), as fitted to the data."""
        return self.end(z)
