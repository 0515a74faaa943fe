"""A classifier of noisy images, which can lead a diffusion model to a class."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.classification import MulticlassAccuracy

from diffstn.build import Factory, fitted
from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion.schedules import Schedule
from diffstn.models.fit_to_data import fit_codec
from diffstn.models.noise import noise_for, timesteps_for
from diffstn.models.optimised import OptimisedModule


class NoisyClassifier(OptimisedModule):
    """Cross-entropy on x_t = α_t x_0 + σ_t ε at random t, which the network is told.

    Its validation accuracy is over all noise levels, so it is well below that on clean images.

    Args:
        facts: of the data.
        network: makes the one called as network(x_t, t) → logits (B, classes).
        schedule: of the noise; that of the diffusion model it is to lead.
        codec: images ↔ what is made noisy; that of the diffusion model.
        optimisation: see `OptimisedModule`.

    Source: Dhariwal & Nichol, Diffusion Models Beat GANs on Image Synthesis, 2021, section 4.
    """

    needs = ("upright",)

    def __init__(
        self,
        facts: Facts,
        network: Factory,
        schedule: Schedule,
        codec: Codec,
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        seen = codec.facts(facts)
        self.facts, self.codec = facts, codec
        self.classes = len(facts.classes)
        self.network = fitted(
            network,
            must=("classes",),
            channels=seen.channels,
            size=seen.size,
            classes=self.classes,
            steps=schedule.steps,
        )
        self.schedule = schedule
        self.validation_accuracy = MulticlassAccuracy(self.classes, average="micro")

    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            fit_codec(self.codec, self.trainer.datamodule)  # type: ignore[attr-defined]

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Log-probabilities (B, classes) of noisy data x_t (B, C, H, W) at t (B,)."""
        return self.network(self.schedule.to_unit(x_t, t), t).float().log_softmax(dim=-1)

    def noisy(self, x_0: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Log-probabilities of x_0 after noising it to random timesteps."""
        t = timesteps_for(x_0, self.schedule.steps, generator)
        return self(self.schedule.add_noise(x_0, t, noise_for(x_0, generator)), t)

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        loss = F.nll_loss(self.noisy(self.codec.encode(batch.items)), batch.label)
        self.log("train/loss", loss.detach(), on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_index: int) -> None:
        generator = torch.Generator().manual_seed(batch_index)
        log_probabilities = self.noisy(self.codec.encode(batch.items), generator)
        self.validation_accuracy(log_probabilities, batch.label)
        self.log_dict(
            {
                "val/accuracy": self.validation_accuracy,
                "val/nll": F.nll_loss(log_probabilities, batch.label),
            },
            on_epoch=True,
            batch_size=len(batch.label),
        )


def check_guide(guide: NoisyClassifier, schedule: Schedule, classes: int) -> None:
    """Refuse a guide that knows other noise or other classes than the model it is to lead.

    Raises:
        ValueError: one line, with the remedy.
    """
    theirs, ours = guide.schedule.log_alpha_bar.cpu(), schedule.log_alpha_bar.cpu()
    if not same_noise(guide.schedule, schedule):
        raise ValueError(
            f"the guide was trained with another schedule ({len(theirs) - 1} steps, ending at"
            f" alpha_bar {float(theirs[-1].exp()):.2g}) than the model ({len(ours) - 1} steps,"
            f" ending at {float(ours[-1].exp()):.2g}): train one with the model's own schedule,"
            " python train.py model=noisy_classifier schedule=..."
        )
    if guide.classes != classes:
        raise ValueError(f"the guide knows {guide.classes} classes, the data have {classes}")


def same_noise(one: Schedule, other: Schedule) -> bool:
    """Whether two schedules have the same noise at every timestep."""
    theirs, ours = one.log_alpha_bar.cpu(), other.log_alpha_bar.cpu()
    alike = theirs.shape == ours.shape and torch.allclose(theirs, ours, rtol=1e-4, atol=1e-6)
    return alike and one.prior_sigma == other.prior_sigma
