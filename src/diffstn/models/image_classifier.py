"""Classifiers of images as they come: the judge, and the end-to-end baseline."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.classification import MulticlassAccuracy

from diffstn.annotations import Share
from diffstn.build import Factory
from diffstn.data.facts import Facts
from diffstn.models.encoder import encoder_for
from diffstn.models.given import Given
from diffstn.models.optimised import OptimisedModule
from diffstn.networks.classifiers.classifier import Classifier
from diffstn.networks.encoders.mirrored import MirroredEncoder
from diffstn.spatial import named_frame


class ImageClassifier(OptimisedModule):
    """Cross-entropy on `batch.image`, whether upright (`data=mnist`) or distorted.

    Args:
        facts: of the data.
        encoder: makes what is in front of the last, linear layer.
        frame: through which the encoder looks, a name in `FRAMES`.
        label_smoothing: s; the target of class y is (1 − s) [c = y] + s / classes, in training.
        mirrored: whether it reads an image and its mirror image and answers the mean of their
            logits, in evaluation.
        optimisation: see `OptimisedModule`.

    Source: label smoothing: Szegedy et al., Rethinking the Inception Architecture for Computer
    Vision, 2015, section 7.
    """

    needs = ("upright", "distorted")

    def __init__(
        self,
        facts: Facts,
        encoder: Factory,
        frame: str = "none",
        label_smoothing: Share = 0.0,
        mirrored: bool = False,
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        self.facts, self.label_smoothing = facts, label_smoothing
        classes = len(facts.classes)
        made = encoder_for(facts, encoder, named_frame(frame))
        self.network = Classifier(MirroredEncoder(made) if mirrored else made, classes)
        self.validation_accuracy = MulticlassAccuracy(classes, average="micro")

    def forward(self, image: Tensor) -> Tensor:
        """Probabilities (B, classes)."""
        return self.network(image).float().softmax(dim=-1)

    @torch.no_grad()
    def classify(self, images: Any) -> Tensor:
        """Probabilities (B, classes), or (classes,) of a single image; see `Given` for images."""
        given = Given(images, self.facts, self.facts.canvas, self.device)
        return given.like(self(given.images))

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        logits = self.network(batch.image).float()
        loss = F.cross_entropy(logits, batch.label, label_smoothing=self.label_smoothing)
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
