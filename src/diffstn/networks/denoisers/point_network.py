"""What denoising networks of points have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from diffstn.networks.blocks.condition_embedding import ConditionEmbedding
from diffstn.networks.blocks.point_input import PointInput
from diffstn.networks.blocks.zero_linear import zero_linear


class PointNetwork(nn.Module, ABC):
    """Features of every point on the way in, a vector for time and label, a point on the way out.

    Subclasses say what happens in between. The last layer starts at zero.

    Args:
        dim: coordinates of a point.
        classes: number of classes; 0: unconditional.
        width: features of a point.
        blocks: of the network in between.
        octaves: of the sinusoidal embedding of the coordinates; 0: the coordinates alone.
        time_features: of the sinusoidal embedding of the timestep; 0: t / T alone.
        steps: T.

    Shapes: x_t (B, *, dim), t (B,), label (B,) or None → (B, *, dim).

    Raises:
        ValueError: width or blocks is not positive, or an embedding refuses its features.
    """

    needs: tuple[str, ...]

    def __init__(
        self,
        dim: int,
        classes: int = 0,
        width: int = 128,
        blocks: int = 3,
        octaves: int = 3,
        time_features: int = 128,
        steps: int = 1000,
    ) -> None:
        super().__init__()
        if min(width, blocks) < 1:
            raise ValueError(f"width and blocks must be at least 1, not {width} and {blocks}")
        self.input = PointInput(dim, width, octaves)
        self.condition = ConditionEmbedding(width, classes, time_features, steps)
        self.blocks = nn.ModuleList(self.block(width) for _ in range(blocks))
        self.output = zero_linear(width, dim)

    @abstractmethod
    def block(self, width: int) -> nn.Module:
        """One of the blocks: called with features (B, *, width) and what modulates them."""

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        h, m = self.input(x_t), self.condition(t, label)
        m = m.unflatten(0, (-1, *(1,) * (h.ndim - 2)))
        for block in self.blocks:
            h = block(h, m)
        return self.output(h)
