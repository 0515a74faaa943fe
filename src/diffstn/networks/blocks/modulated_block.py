"""The residual block of the denoisers of vectors."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ModulatedBlock(nn.Module):
    r"""$h \leftarrow h + W_2\,\mathrm{SiLU}(W_1\,[(1 + s(m))\,\mathrm{LN}(h) + b(m)])$.

    Feature-wise modulation (FiLM, Perez et al., 2018) by m: time, image, label. Shapes: h
    (*, width), and m of the same shape or one that broadcasts to it.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Linear(width, 2 * width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)

    def forward(self, h: Tensor, m: Tensor) -> Tensor:
        return self.modulated(h, self.modulation(m))

    def modulated(self, h: Tensor, modulation: Tensor) -> Tensor:
        """What the block makes of h once (s, b), (*, 2 width), is known."""
        scale, shift = modulation.chunk(2, dim=-1)
        inner = self.inner(torch.addcmul(shift, self.norm(h), 1 + scale))
        return h + self.outer(F.silu(inner))
