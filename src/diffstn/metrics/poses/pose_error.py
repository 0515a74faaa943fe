"""How far a predicted affine pose is off, in degrees, per cent and pixels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from diffstn.metrics.poses.corner_error import CornerError
from diffstn.spatial import as_matrix, decompose

BINS_PER_DEGREE = 20


class PoseError(CornerError):
    """`CornerError` of affine poses, and the error of each of their factors.

    In pixels a pose is x ↦ M x + t. With M = R(φ) S K, see `diffstn.spatial.decompose`, `compute`
    returns the two numbers of `CornerError` and

    - `rotation_deg`: mean of |φ̂ − φ| in degrees, the short way round, in [0, 180];
    - `rotation_deg_median`: its median, to within 1/20 of a degree: the state is a histogram, so
      that it stays small and adds up over devices;
    - `scale_percent`: mean of 100 |k̂ / k − 1|, over both axes;
    - `translation_px`: mean of ‖t̂ − t‖₂ in pixels of the distorted image.

    Args:
        size: (height, width) in pixels of the distorted image, into which θ maps.
        upright_size: that of the upright image, by default the same. It matters only where the
            two differ in shape, for normalised coordinates turn an oblong image by shearing it.
    """

    rotation: Tensor
    histogram: Tensor
    scale: Tensor
    translation: Tensor

    def __init__(
        self, size: tuple[int, int], upright_size: tuple[int, int] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(size, **kwargs)
        self.upright_size = size if upright_size is None else upright_size
        for name in ("rotation", "scale", "translation"):
            self._add_sum(name)
        bins = torch.zeros(180 * BINS_PER_DEGREE, dtype=torch.long)
        self.add_state("histogram", bins, dist_reduce_fx="sum")

    def _in_pixels(self, theta: Tensor) -> Tensor:
        """θ (B, 6) as a map between pixel coordinates centred on the images: (B, 2, 3)."""
        input_, output = self._half(self.size), self._half(self.upright_size)
        return as_matrix(theta) * input_[:, None] / torch.cat((output, output.new_ones(1)))

    def update(self, theta_hat: Tensor, theta: Tensor) -> None:
        """Add predictions and truths, (B, 6) both."""
        super().update(theta_hat, theta)
        guess = decompose(self._in_pixels(theta_hat.double()))
        truth = decompose(self._in_pixels(theta.double()))
        turn = torch.rad2deg(guess.rotation - truth.rotation)
        degrees = ((turn + 180) % 360 - 180).abs()
        bins = (degrees.nan_to_num(180) * BINS_PER_DEGREE).long()
        last = len(self.histogram) - 1
        self.histogram += torch.bincount(bins.clamp(max=last), minlength=last + 1)
        self.rotation += degrees.sum()
        for k_hat, k in ((guess.scale_x, truth.scale_x), (guess.scale_y, truth.scale_y)):
            self.scale += 100 * (k_hat / k - 1).abs().sum() / 2
        self.translation += (guess.translation - truth.translation).norm(dim=-1).sum()

    def compute(self) -> dict[str, Tensor]:
        return super().compute() | {
            "rotation_deg": self.rotation / self.count,
            "rotation_deg_median": self._median(),
            "scale_percent": self.scale / self.count,
            "translation_px": self.translation / self.count,
        }

    def _median(self) -> Tensor:
        """Where the histogram's distribution function crosses 1/2, linear within a bin."""
        reached, half = self.histogram.cumsum(0).double(), self.count.double() / 2
        crossing = torch.searchsorted(reached, half).clamp(max=len(reached) - 1)
        inside = 1 - (reached[crossing] - half) / self.histogram[crossing]
        return (crossing + inside) / BINS_PER_DEGREE
