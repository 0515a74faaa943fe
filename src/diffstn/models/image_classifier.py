"""Classifiers of images as they come: the judge, and the end-to-end baseline."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from diffstn.models.optimised import OptimisedModule


class ImageClassifier(OptimisedModule):
    """Cross-entropy on `batch.image`, whether upright (`data=mnist`) or distorted.

    Args:
        network: images (B, C, H, W) → logits (B, classes).
        classes: number of classes.
        optimisation: see `OptimisedModule`.
    """

    needs = ("upright", "distorted")

    def __init__(self, network: nn.Module, classes: int, **optimisation: Any) -> None:
        super().__init__(**optimisation)
        self.network = network
        self.validation_accuracy = MulticlassAccuracy(classes, average="micro")

    def forward(self, image: Tensor) -> Tensor:
        """Probabilities (B, classes)."""
        return self.network(image).float().softmax(dim=-1)

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        loss = F.cross_entropy(self.network(batch.image).float(), batch.label)
        self.log("train/loss", loss.detach(), on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_index: int) -> None:
        probabilities = self(batch.image)
        self.validation_accuracy(probabilities, batch.label)
        nll = F.nll_loss(probabilities.clamp_min(1e-12).log(), batch.label)
        self.log_dict(
            {"val/accuracy": self.validation_accuracy, "val/nll": nll},
            on_epoch=True,
            batch_size=len(batch.label),
        )
