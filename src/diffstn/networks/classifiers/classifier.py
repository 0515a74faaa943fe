"""An encoder with a linear head: image → class logits."""

from torch import Tensor, nn


class Classifier(nn.Module):
    """Linear classifier on an encoder's embedding.

    `features(image)` is the penultimate layer, (B, encoder.features); calling the classifier gives
    logits (B, classes).
    """

    def __init__(self, encoder: nn.Module, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(int(encoder.features), classes)  # type: ignore[arg-type]

    def features(self, image: Tensor) -> Tensor:
        return self.encoder(image)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.features(image))
