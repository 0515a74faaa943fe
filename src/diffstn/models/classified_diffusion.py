"""A diffusion model with an auxiliary classifier."""

from typing import Annotated, Any

import torch.nn.functional as F
from torch import Generator, Tensor
from torch.func import functional_call

from diffstn.annotations import NotNegative, OneOf
from diffstn.build import Factory, fitted
from diffstn.data.facts import Facts
from diffstn.diffusion.losses import Classified
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.models.noise import noise_for


class ClassifiedDiffusion(DiffusionModel):
    r"""`DiffusionModel` whose loss also asks a classifier for the class of x̂_0.

    A classifier that trains along learns from `samples`, the x̂_0 and the labels that were told, as
    part of the one loss; then network and classifier may agree on signs for the classes that no
    image has. Or it learns from `data`, images with their labels, and of x̂_0 it only judges.

    Args:
        facts: of the data.
        classifier: makes the classifier, given what it asks for.
        classifier_weight: w, see `Classified`.
        classifier_signal: λ, see `Classified`.
        classifier_reads: `samples` or `data`, what it learns from unless it is frozen.
        settings: see `DiffusionModel`.

    Raises:
        ValueError: fewer than two classes, or a model that does not hear them.

    Source: Odena et al., Conditional Image Synthesis with Auxiliary Classifier GANs, 2017, whose
    classifier learns from both.
    """

    def __init__(
        self,
        facts: Facts,
        classifier: Factory,
        classifier_weight: NotNegative = 0.1,
        classifier_signal: str = "signal",
        classifier_reads: Annotated[str, OneOf(("samples", "data"))] = "data",
        **settings: Any,
    ) -> None:
        super().__init__(facts=facts, **settings)
        if len(facts.classes) < 2:
            raise ValueError("an auxiliary classifier needs data of two classes or more")
        if not self.conditional:
            raise ValueError("an auxiliary classifier needs model.conditional=true")
        if self.clusters is not None:
            raise ValueError("an auxiliary classifier tells classes, not kinds: model.clusters=0")
        self.classifier = fitted(classifier, facts=facts)
        self.classifier_reads = classifier_reads
        self.classified = Classified(self.loss, self.read, classifier_weight, classifier_signal)

    def images(self, x_0: Tensor) -> Tensor:
        """Images as the classifier reads them, through which gradients pass."""
        return getattr(self.codec, "unclipped", self.codec.decode)(x_0)

    def read(self, x_0: Tensor) -> Tensor:
        """Logits (B, classes) of x̂_0; where the classifier learns from data, it learns nothing."""
        if self.classifier_reads == "samples":
            return self.classifier(self.images(x_0))
        held = {name: p.detach() for name, p in self.classifier.named_parameters()}
        learning = self.classifier.training
        self.classifier.eval()  # nor do its batch norms
        logits = functional_call(self.classifier, held, (self.images(x_0),))
        self.classifier.train(learning)
        return logits

    def losses_at(
        self, t: Tensor, x_0: Tensor, label: Tensor, generator: Generator | None = None
    ) -> Tensor:
        """One loss for each item, (B,), at the timesteps t (B,)."""
        eps = noise_for(x_0, generator)
        own, read = self.classified.both(self.denoiser, x_0, t, eps, label=label)
        if self._trainer is not None:
            split = "train" if self.training else "val"
            values = {f"{split}/error": own.mean().detach(), f"{split}/read": read.mean().detach()}
            self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(t))
        alpha_bar = self.denoiser.schedule.alpha_bar(t)
        return own * self.weighting(self.denoiser, t) + self.classified.of(alpha_bar, read)

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        loss = super().training_step(batch, batch_index)
        learns = any(p.requires_grad for p in self.classifier.parameters())
        if self.classifier_reads == "data" and learns:
            logits = self.classifier(batch.items).float()
            loss = loss + F.cross_entropy(logits, batch.label)
        return loss
