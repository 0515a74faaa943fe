"""STN-in-Diff: the upright image itself is diffused, conditioned on the distorted one."""

from typing import Any

import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from diffstn.annotations import NotNegative
from diffstn.build import Factory
from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion import Gaussian, SimpleLoss
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.schedules import Schedule
from diffstn.diffusion.wrappers import Clipped
from diffstn.models.denoiser import denoiser_for
from diffstn.models.encoder import encoder_for
from diffstn.models.noise import latents_for, noise_for, timesteps_for
from diffstn.models.redrawer import Redrawer
from diffstn.networks.heads.aligner import Aligner
from diffstn.spatial import Affine, named_frame, warp


class STNInDiff(Redrawer):
    r"""Draws the upright image, x_0 = 2 · upright − 1, from p(upright | distorted).

    Training needs pairs of distorted and upright images alone: no pose and no label. The network
    hears of the distorted image through an encoder's embedding, which modulates its blocks. If
    `spatial`, it also sees the image beside x_t, through the frame if there is one, and through
    a spatial transformer: the embedding says how to turn what the frame shows, see `Aligner`. The
    denoising loss teaches that through the warp, and so does, weighted, the distance between the
    aligned image and the upright one. Of several drawings the classifier's mean opinion counts.

    Args:
        facts: of the data.
        encoder: makes the network image → embedding (B, features).
        network: makes the one called as network(x_t, t, embedding=..., image=...).
        schedule: of the noise.
        sampler: x_T → x_0.
        classifier: called with the facts, makes a network of images (B, C, h, w) → logits
            (B, classes), frozen; it plays no part in training.
        codec: images ↔ what is diffused.
        prediction, variance: see `Denoiser`.
        hypotheses: redrawings of each image.
        spatial: show the distorted image beside x_t, aligned.
        align_weight: of the mean-square error between the aligned and the upright image, in
            [−1, 1]; 0 leaves the alignment to the denoising loss.
        frame: name of the map through which images are seen, see `FRAMES`.
        noise_levels: timesteps of each image in a training step; the encoder sees it once.
        timestep_power: exponent of the timesteps' distribution; 1 is uniform, and below 1 high
            noise is trained more often, where all that is known is the distorted image.
        clip, clip_quantile: of x̂_0 while sampling, see `Clipped`.
        optimisation: see `OptimisedModule`.

    Raises:
        ValueError: a number is out of range, or a part does not suit.

    Source of the task: Diff+STN architectures for external orientation correction (STN-in-Diff);
    a condition shown beside x_t: Saharia et al., Palette, 2022.
    """

    needs = ("distorted",)
    monitor = ("val/loss", "min")

    def __init__(
        self,
        facts: Facts,
        encoder: Factory,
        network: Factory,
        schedule: Schedule,
        sampler: Sampler,
        classifier: Factory,
        codec: Codec,
        prediction: str = "v",
        variance: str = "fixed_small",
        hypotheses: int = 1,
        spatial: bool = True,
        align_weight: NotNegative = 1.0,
        frame: str = "none",
        noise_levels: int = 1,
        timestep_power: float = 1.0,
        clip: float | None = None,
        clip_quantile: float | None = None,
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        assert facts.size is not None
        if hypotheses < 1 or noise_levels < 1:
            raise ValueError(
                "hypotheses and noise_levels must be at least 1, not"
                f" {hypotheses} and {noise_levels}"
            )
        if timestep_power <= 0:
            raise ValueError(f"timestep_power must be positive, not {timestep_power}")
        judge: nn.Module = classifier(facts)
        if any(p.requires_grad for p in judge.parameters()):
            raise ValueError(
                "the classifier only judges and would never learn here: pass classifier=frozen"
            )
        if codec.clip is None:
            raise ValueError("this model aligns and redraws pixels: codec=pixels")
        self.facts, self.codec = facts, codec
        self.frame = named_frame(frame)
        self.encoder = encoder_for(facts, encoder, self.frame)
        features: Any = self.encoder.features
        seen = codec.facts(facts)
        self.denoiser = denoiser_for(
            network,
            Gaussian(schedule),
            prediction,
            variance,
            must=("size", "embedding"),
            channels=seen.channels,
            size=seen.size,
            embedding=features,
            image_channels=seen.channels if spatial else 0,
            classes=0,
        )
        if self.denoiser.variance.outputs > 1:
            raise ValueError("no loss here teaches a learned variance: model.variance=fixed_small")
        self.guided = Clipped(self.denoiser, clip, clip_quantile)
        self.sampler = sampler
        sampler.timesteps(schedule)  # refuses more steps than there are
        self.classifier, self.classes = judge, len(facts.classes)
        self.size, self.hypotheses = facts.size, hypotheses
        self.noise_levels, self.timestep_power = noise_levels, timestep_power
        self.aligner = Aligner(features) if spatial else None
        self.align_weight = align_weight
        self.simple_loss = SimpleLoss()
        self.validation_accuracy = MulticlassAccuracy(self.classes, average="micro")

    def aligned(self, image: Tensor, embedding: Tensor) -> Tensor:
        """Distorted images (B, C, H, W), turned by the aligner: (B, C, h, w)."""
        assert self.aligner is not None
        A = self.aligner(embedding)
        if self.frame is not None:
            A = Affine().compose(self.frame(image), A)
        return warp(image, A, size=self.size)

    def condition(self, image: Tensor) -> dict[str, Any]:
        """What the denoiser hears of images (B, C, H, W)."""
        embedding = self.encoder(image)
        if self.aligner is None:
            return {"embedding": embedding}
        return {"embedding": embedding, "image": self.codec.encode(self.aligned(image, embedding))}

    def losses(self, batch: Any, generator: Generator | None = None) -> dict[str, Tensor]:
        """The mean loss over images and noise levels, and what it is made of."""
        upright = self.codec.encode(batch.upright)
        condition = self.condition(batch.image)
        x_0 = upright.repeat_interleave(self.noise_levels, dim=0)
        steps = self.denoiser.schedule.steps
        each = self.noise_levels
        t = timesteps_for(x_0, steps, generator, self.timestep_power, each)
        eps = noise_for(x_0, generator, each)
        told = {k: v.repeat_interleave(self.noise_levels, dim=0) for k, v in condition.items()}
        diffusion = self.simple_loss(self.denoiser, x_0, t, eps, **told).mean()
        if self.aligner is None:
            return {"loss": diffusion}
        alignment = F.mse_loss(condition["image"], upright)
        loss = diffusion + self.align_weight * alignment
        return {"loss": loss, "diffusion": diffusion, "alignment": alignment}

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        terms = self.losses(batch)
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in terms.items()},
            on_step=False,
            on_epoch=True,
            batch_size=len(batch.label),
        )
        return terms["loss"]

    def validation_step(self, batch: Any, batch_index: int) -> None:
        generator = Generator().manual_seed(batch_index)
        terms = self.losses(batch, generator)
        latents = latents_for(self, batch.image, generator)
        redrawn = self(batch.image, latents=latents, generator=generator)
        self.validation_accuracy(redrawn.probabilities[:, 0], batch.label)
        error = F.mse_loss(redrawn.images[:, 0], batch.upright)
        self.log_dict(
            {
                **{f"val/{name}": value for name, value in terms.items()},
                "val/accuracy": self.validation_accuracy,
                "val/mse": error,
            },
            on_epoch=True,
            batch_size=len(batch.label),
        )
