"""Embedding → pose vector, starting at a given pose."""

from torch import Tensor, nn


class PoseRegressor(nn.Module):
    """Two fully connected layers whose last one starts with zero weights and the bias `start`.

    An untrained regressor therefore answers `start` (the identity for a spatial transformer)
    whatever the image, which keeps the first warps sane.

    Args:
        inputs: length of the embedding.
        start: pose vector (dim,) to begin with.
        hidden: width of the hidden layer.

    Shapes: (B, inputs) → (B, dim).
    """

    def __init__(self, inputs: int, start: Tensor, hidden: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, start.numel())
        )
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        last.bias.data.copy_(start)

    def forward(self, embedding: Tensor) -> Tensor:
        return self.layers(embedding)
