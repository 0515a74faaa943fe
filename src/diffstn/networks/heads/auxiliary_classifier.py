"""A linear read-out of the label that teaches an encoder and is then left alone."""

import torch.nn.functional as F
from torch import Tensor, nn


class AuxiliaryClassifier(nn.Module):
    """Cross-entropy of a linear classifier on an embedding, as an auxiliary training loss.

    Which digit it is decides which poses are plausible, so an encoder that knows the label places
    the modes of the pose better. At inference the head is asked at most which of several corrected
    images to trust; what that image shows is for the judge to say.

    Shapes: embedding (B, features), label (B,) → scalar.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, classes)

    def forward(self, embedding: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(self.linear(embedding).float(), label)
