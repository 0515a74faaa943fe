"""One coefficient per sample, aligned with the sample's dimensions."""

from __future__ import annotations

from torch import Tensor


def broadcast(coefficients: Tensor, x: Tensor) -> Tensor:
    """Append the trailing dimensions that let `coefficients` multiply `x` from the left.

    (B,) against (B, C, H, W) becomes (B, 1, 1, 1); (B, n) against (B, n, 6) becomes (B, n, 1).
    """
    return coefficients.reshape(coefficients.shape + (1,) * (x.ndim - coefficients.ndim))
