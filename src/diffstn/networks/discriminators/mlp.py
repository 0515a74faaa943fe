"""Points, real or not."""

from itertools import pairwise

from torch import Tensor, nn


class MLPDiscriminator(nn.Module):
    """An MLP; what it says of a label is the inner product with the label's embedding.

    Args:
        dim: coordinates of a point.
        classes: number of labels; 0: none.
        width, layers: hidden layers and their features.

    Shapes: x (B, dim), label (B,) or None → (B,).

    Raises:
        ValueError: a number is not positive.
    """

    needs = ("points",)

    def __init__(self, dim: int, classes: int = 0, width: int = 128, layers: int = 3) -> None:
        super().__init__()
        if min(width, layers) < 1:
            raise ValueError(f"width and layers must be at least 1, not {width} and {layers}")
        features = [dim, *[width] * layers]
        hidden = pairwise(features)
        self.layers = nn.Sequential(
            *(part for i, o in hidden for part in (nn.Linear(i, o), nn.LeakyReLU(0.2)))
        )
        self.score = nn.Linear(width, 1)
        self.embedding = nn.Embedding(classes, width) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        h = self.layers(x)
        score = self.score(h)[:, 0]
        if self.embedding is not None:
            assert label is not None
            score = score + (h * self.embedding(label)).sum(1) / h.shape[1] ** 0.5
        return score
