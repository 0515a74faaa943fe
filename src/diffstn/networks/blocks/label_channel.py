"""A label as one more channel of an image."""

import torch
from torch import Tensor, nn


class LabelChannel(nn.Module):
    """The label's embedding, reshaped to an image of one channel.

    Args:
        classes: number of labels; one more, `classes`, stands for none, as does no label.
        size: (H, W).

    Shapes: x (B, C, H, W), label (B,) or None → (B, C + 1, H, W).

    Source: Mirza and Osindero, Conditional Generative Adversarial Nets, 2014, with an image for a
    vector.
    """

    def __init__(self, classes: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(classes + 1, size[0] * size[1])

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if label is None:
            none = self.embedding.num_embeddings - 1
            label = torch.full((len(x),), none, device=x.device)
        image = self.embedding(label).unflatten(1, (1, *self.size))
        return torch.cat([x, image.to(x.dtype)], dim=1)
