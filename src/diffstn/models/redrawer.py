"""Models that answer an image with an image: latents in, drawings and a judge's opinion out."""

from abc import abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion import Denoiser, Denoises
from diffstn.diffusion.samplers import Sampler
from diffstn.models.given import Given
from diffstn.models.optimised import OptimisedModule


class Redrawing(NamedTuple):
    """The outcome of redrawing B images k times each."""

    images: Tensor
    """Upright images (B, k, C, h, w) in [0, 1]."""
    probabilities: Tensor
    """The classifier's opinion of each, (B, k, classes)."""


class Redrawn(NamedTuple):
    """What `correct` answers; of a single image without the dimension B."""

    images: Tensor
    """Upright images (B, C, h, w): bytes if bytes were given, otherwise floats in [0, 1]."""
    probabilities: Tensor
    """What the classifier reads, all redrawings taken together, (B, classes)."""


class Redrawer(OptimisedModule):
    """Samples new images of what it is shown; of several the classifier's mean opinion counts.

    A subclass sets these and says by `condition` what its denoiser hears of an image.

    Attributes:
        facts: of the data.
        codec: images ↔ what is diffused.
        denoiser: that which is trained.
        sampler: x_T → x_0.
        guided: the denoiser that it walks with.
        classifier: images (B, C, h, w) → logits (B, classes), frozen.
        hypotheses: redrawings of each image.
    """

    facts: Facts
    codec: Codec
    denoiser: Denoiser
    sampler: Sampler
    guided: Denoises
    classifier: nn.Module
    hypotheses: int

    @abstractmethod
    def condition(self, image: Tensor) -> dict[str, Any]:
        """What the denoiser hears of images (B, C, H, W)."""

    def sample_latents(
        self, images: int, hypotheses: int, generator: Generator | None = None
    ) -> Tensor:
        """z ~ N(0, I), of which x_T is made, (images, hypotheses, C, h, w), on the CPU."""
        channels: Any = self.denoiser.network.channels
        assert self.facts.size is not None
        return torch.randn((images, hypotheses, channels, *self.facts.size), generator=generator)

    def forward(
        self,
        image: Tensor,
        hypotheses: int | None = None,
        latents: Tensor | None = None,
        generator: Generator | None = None,
        **told: Any,
    ) -> Redrawing:
        """Redraw images (B, C, H, W); what else is told goes to `condition`."""
        if latents is None:
            latents = self.sample_latents(len(image), hypotheses or self.hypotheses, generator)
        k = latents.shape[1]
        x_T = self.denoiser.process.prior(latents.to(image.device).flatten(0, 1))
        seen = self.condition(image, **told)
        heard: dict[str, Any] = {n: v.repeat_interleave(k, dim=0) for n, v in seen.items()}
        x_0 = self.sampler(self.guided, x_T, generator, **heard)
        images = self.codec.decode(x_0)
        return Redrawing(images.unflatten(0, (-1, k)), self.judge(images).unflatten(0, (-1, k)))

    @torch.no_grad()
    def correct(self, images: Any, hypotheses: int | None = None, seed: int = 0) -> Redrawn:
        """Redraw images; see `Given` for what images may be.

        Of several redrawings the one that the classifier is surest of is taken, and its opinions
        are averaged. All images start from the same latents, so that with a sampler that draws no
        noise an answer depends on its image and the seed, and not on what else is in the batch.
        """
        given = Given(images, self.facts, self.facts.canvas, self.device)
        generator = Generator().manual_seed(seed)
        latents = self.sample_latents(1, hypotheses or self.hypotheses, generator)
        latents = latents.expand(len(given.images), *latents.shape[1:])
        made = self(given.images, latents=latents, generator=generator)
        surest = made.probabilities.amax(dim=-1).argmax(dim=1)
        rows = torch.arange(len(surest), device=surest.device)
        return Redrawn(
            given.like(made.images[rows, surest], pixels=True),
            given.like(made.probabilities.mean(dim=1)),
        )

    def classify(self, images: Any, hypotheses: int | None = None, seed: int = 0) -> Tensor:
        """What the classifier reads in the redrawn images: probabilities (B, classes)."""
        return self.correct(images, hypotheses, seed).probabilities

    def judge(self, images: Tensor) -> Tensor:
        """Probabilities (B, classes) of images (B, C, h, w)."""
        return self.classifier(images).float().softmax(dim=-1)
