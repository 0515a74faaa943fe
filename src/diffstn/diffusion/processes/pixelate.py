"""Images whose pixels grow."""

from __future__ import annotations

import torch
from torch import Tensor

from diffstn.diffusion.processes.separable import Separable


class Pixelate(Separable):
    r"""Blocks of pixels take their mean, ever larger ones, until the whole image is one block.

    At level k the blocks of a side are 2^k pixels wide, the last one what remains, up to the level
    K of one block, or of blocks of the `largest` side. P_k is the orthogonal projection onto what
    is constant on blocks, and as blocks are nested, P_j P_k = P_max(j, k). Between two levels the
    finer one fades:

        L_t = (1 − w) P_k + w P_(k+1),    k + w = K t / T

    With T = K every step doubles the blocks. The mean of the image never changes.

    Args:
        channels, size: C and (H, W) of the images.
        steps: T.
        largest: side of the blocks at T in pixels, rounded up to a power of 2; None: the image's.
        rank, noise: of the prior, see `FittedPrior`.

    Raises:
        ValueError: a number is out of range.

    Source: Bansal et al., Cold Diffusion, 2022, section 4.3 (super-resolution).
    """

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        steps: int = 20,
        largest: int | None = None,
        rank: int = 32,
        noise: float = 0.002,
    ) -> None:
        side = max(size) if largest is None else largest
        if steps < 1 or not 2 <= side <= max(size):
            raise ValueError(
                "pixels must grow in 1 step or more to blocks of 2 or more and no more than"
                f" {max(size)}, the image's, not in steps={steps} to largest={side}"
            )
        levels = (side - 1).bit_length()
        level = levels * torch.arange(steps + 1, dtype=torch.float64) / steps
        rows, columns = (blocks(length, level) for length in size)
        super().__init__(rows, columns, channels, rank, noise)


def blocks(side: int, level: Tensor) -> Tensor:
    """P at whole levels (n,) ≥ 0, mixtures of two between them: (n, side, side)."""
    pixel = torch.arange(side)

    def projection(k: int) -> Tensor:
        together = (pixel[:, None] >> k) == (pixel >> k)
        return together.double() / together.sum(1, keepdim=True)

    found = []
    for value in level.tolist():
        k, w = int(value), value - int(value)
        found.append((1 - w) * projection(k) + w * projection(k + 1))
    return torch.stack(found)
