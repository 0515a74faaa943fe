"""STN-in-Diff: the upright image itself is diffused, conditioned on the distorted one."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from diffstn.codecs.pixels import as_data, as_images
from diffstn.diffusion import Denoiser, SimpleLoss, gaussian_noise, stratified_timesteps
from diffstn.diffusion.samplers import Sampler
from diffstn.models.optimised import OptimisedModule
from diffstn.networks.heads.aligner import Aligner
from diffstn.spatial import Affine, warp

Frame = Callable[[Tensor], Tensor]


class Redrawing(NamedTuple):
    """The outcome of redrawing B images k times each."""

    images: Tensor
    """Upright images (B, k, C, h, w) in [0, 1]."""
    probabilities: Tensor
    """The classifier's opinion of each, (B, k, classes)."""


class STNInDiff(OptimisedModule):
    r"""Draws the upright image, x_0 = 2 · upright − 1, from p(upright | distorted).

    Training needs pairs of distorted and upright images alone: no pose and no label. The network
    hears of the distorted image through an encoder's embedding, which modulates its blocks. If
    `spatial`, it also sees the image beside x_t, through the frame if there is one, and through
    a spatial transformer: the embedding says how to turn what the frame shows, see `Aligner`. The
    denoising loss teaches that through the warp, and so does, weighted, the distance between the
    aligned image and the upright one. Of several drawings the classifier's mean opinion counts.

    Args:
        encoder: image → embedding (B, features).
        denoiser: called as denoiser(x_t, t, embedding=..., image=...).
        sampler: x_T → x_0.
        classifier: images (B, C, h, w) → logits (B, classes), frozen; it plays no part in
            training.
        classes: number of classes.
        size: (height, width) of an upright image.
        hypotheses: drawings of each image.
        spatial: show the distorted image beside x_t, aligned.
        align_weight: of the mean-square error between the aligned and the upright image, in
            [−1, 1]; 0 leaves the alignment to the denoising loss.
        frame: images → affine maps (B, 6) into them, see `PoseCorrector`.
        timesteps: noise levels of each image in a training step; the encoder sees it once.
        timestep_power: exponent of the timesteps' distribution; 1 is uniform, and below 1 high
            noise is trained more often, where all that is known is the distorted image.
        optimisation: see `OptimisedModule`.

    Source of the task: Diff+STN architectures for external orientation correction (STN-in-Diff);
    a condition shown beside x_t: Saharia et al., Palette, 2022.
    """

    needs = ("distorted",)
    tells = ("size", "embedding")
    """What its network must take, see `check_network`."""
    monitor = ("val/loss", "min")

    def __init__(
        self,
        encoder: nn.Module,
        denoiser: Denoiser,
        sampler: Sampler,
        classifier: nn.Module,
        classes: int,
        size: tuple[int, int],
        hypotheses: int = 1,
        spatial: bool = True,
        align_weight: float = 1.0,
        frame: Frame | None = None,
        timesteps: int = 1,
        timestep_power: float = 1.0,
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        if hypotheses < 1 or timesteps < 1:
            raise ValueError(
                f"hypotheses and timesteps must be at least 1, not {hypotheses} and {timesteps}"
            )
        if timestep_power <= 0:
            raise ValueError(f"timestep_power must be positive, not {timestep_power}")
        self.timestep_power = timestep_power
        if denoiser.variance.outputs > 1:
            raise ValueError("no loss here teaches a learned variance: model.variance=fixed_small")
        if any(p.requires_grad for p in classifier.parameters()):
            raise ValueError(
                "the classifier only judges and would never learn here: pass classifier=frozen"
            )
        self.encoder, self.denoiser, self.sampler = encoder, denoiser, sampler
        self.classifier, self.classes = classifier, classes
        self.size, self.hypotheses = size, hypotheses
        self.frame, self.timesteps = frame, timesteps
        features: Any = encoder.features
        self.aligner = Aligner(features) if spatial else None
        self.align_weight = align_weight
        self.simple_loss = SimpleLoss()
        self.validation_accuracy = MulticlassAccuracy(classes, average="micro")

    def aligned(self, image: Tensor, embedding: Tensor) -> Tensor:
        """Distorted images (B, C, H, W), turned by the aligner: (B, C, h, w)."""
        assert self.aligner is not None
        A = self.aligner(embedding)
        if self.frame is not None:
            A = Affine().compose(self.frame(image), A)
        return warp(image, A, size=self.size)

    def condition(self, image: Tensor) -> dict[str, Tensor]:
        """What the denoiser hears of images (B, C, H, W)."""
        embedding = self.encoder(image)
        if self.aligner is None:
            return {"embedding": embedding}
        return {"embedding": embedding, "image": as_data(self.aligned(image, embedding))}

    def losses(self, batch: Any, generator: Generator | None = None) -> dict[str, Tensor]:
        """The mean loss over images and noise levels, and what it is made of."""
        upright = as_data(batch.upright)
        condition = self.condition(batch.image)
        x_0 = upright.repeat_interleave(self.timesteps, dim=0)
        steps = self.denoiser.schedule.steps
        t = stratified_timesteps(x_0.shape[:1], steps, generator, x_0.device, self.timestep_power)
        t = t[torch.randperm(len(t), generator=generator).to(t.device)]
        eps = gaussian_noise(x_0, generator)
        told = {k: v.repeat_interleave(self.timesteps, dim=0) for k, v in condition.items()}
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
        redrawn = self(batch.image, 1, generator=generator)
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

    def draw_latents(
        self, images: int, hypotheses: int, generator: Generator | None = None
    ) -> Tensor:
        """x_T ~ N(0, I), (images, hypotheses, C, h, w), on the CPU."""
        channels: Any = self.denoiser.network.channels
        return torch.randn((images, hypotheses, channels, *self.size), generator=generator)

    def forward(
        self,
        image: Tensor,
        hypotheses: int | None = None,
        latents: Tensor | None = None,
        generator: Generator | None = None,
    ) -> Redrawing:
        """Redraw distorted images (B, C, H, W) upright."""
        if latents is None:
            latents = self.draw_latents(len(image), hypotheses or self.hypotheses, generator)
        k, x_T = latents.shape[1], latents.to(image.device).flatten(0, 1)
        told = {n: v.repeat_interleave(k, dim=0) for n, v in self.condition(image).items()}
        x_0 = self.sampler(self.denoiser, x_T, generator, None, **told)
        images = as_images(x_0)
        opinion = self.classifier(images).float().softmax(dim=-1)
        return Redrawing(images.unflatten(0, (-1, k)), opinion.unflatten(0, (-1, k)))

    def judge(self, images: Tensor) -> Tensor:
        """Probabilities (B, classes) of images (B, C, h, w)."""
        return self.classifier(images).float().softmax(dim=-1)
