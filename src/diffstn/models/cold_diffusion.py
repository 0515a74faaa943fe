"""Diffusion without noise."""

from typing import Annotated, Any

import torch
from torch import Generator, Tensor

from diffstn.annotations import OneOf
from diffstn.build import Factory, fitted
from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion import Restorer
from diffstn.diffusion.processes import Until
from diffstn.diffusion.samplers import Sampler
from diffstn.errors import UserError
from diffstn.models.fit_to_data import fit_codec
from diffstn.models.noise import noise_for, timesteps_for
from diffstn.models.optimised import OptimisedModule

EXAMPLES = 2048
"""Training images to which the end of the process is fitted."""


class ColdDiffusion(OptimisedModule):
    r"""Learns to restore x_0 from x_t = D(x_0, t), and so undoes D step by step.

    The loss is the mean of |x̂_0 − x_0| or of its square, at a random t of each image, one from each
    of as many equal strata of 1…T as there are images. The minimiser is the median or the mean of
    what the image may have been: a blurred answer where much is lost, which the walk back sharpens.
    For a linear D the mean agrees with x_t, D(x̂_0, t) = x_t, and naive and improved walk alike but
    for the network's errors. The median does not: digits on black lose what is not sure.

    Images are restored from wherever they were degraded to (`restore`), and sampled from the end of
    the process (`sample`), whose distribution is fitted to the training images before the first
    step and travels with the weights.

    Args:
        facts: of the data.
        network: makes the one called as network(x_t, t).
        process: D, given `channels` and `size`.
        sampler: x_T → x_0, one that asks for no more than the process.
        codec: images ↔ x_0.
        loss: `l1` or `l2`.
        residual: whether the network says what x_t lacks, see `Restorer`.
        optimisation: see `OptimisedModule`.

    Raises:
        ValueError: the sampler needs noise, or a part does not suit.

    Source: Bansal et al., Cold Diffusion: Inverting Arbitrary Image Transforms Without Noise, 2022.
    """

    needs = ("upright",)
    monitor = ("val/loss", "min")
    conditional = False
    hears_label = False

    def __init__(
        self,
        facts: Facts,
        network: Factory,
        process: Factory,
        sampler: Sampler,
        codec: Codec,
        loss: Annotated[str, OneOf(("l1", "l2"))] = "l2",
        residual: bool = True,
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        if not sampler.cold:
            raise ValueError(
                f"{type(sampler).__name__} walks along noise, and a cold process has none: choose"
                " sampler=cold or sampler=cold_naive"
            )
        self.facts, self.codec = facts, codec
        seen = codec.facts(facts)
        self.shape = (seen.channels, *(seen.size or ()))
        cold = fitted(process, channels=seen.channels, size=seen.size)
        made = fitted(
            network, channels=seen.channels, size=seen.size, steps=cold.steps, classes=0, outputs=1
        )
        self.restorer = Restorer(made, cold, residual)
        sampler.timesteps(cold)  # refuses more steps than there are
        self.sampler, self.loss = sampler, loss

    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage != "fit":
            return
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        fit_codec(self.codec, data)
        if hasattr(self.process, "fit"):
            rows = torch.arange(min(EXAMPLES, data.count("train")))
            there = next(self.parameters()).device  # Lightning moves them only after this
            self.process.fit(self.codec.encode(data.batch("train", rows, there).items))

    @property
    def process(self) -> Any:
        """What is undone."""
        return self.restorer.process

    def losses(self, x_0: Tensor, generator: Generator | None = None) -> Tensor:
        """One loss for each image, (B,), at one random timestep each."""
        t = timesteps_for(x_0, self.process.steps, generator)
        eps = self.process.noise(noise_for(x_0, generator))
        error = self.restorer(self.process.corrupt(x_0, t, eps), t).x_0 - x_0
        return (error.abs() if self.loss == "l1" else error.square()).flatten(1).mean(1)

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        loss = self.losses(self.codec.encode(batch.items)).mean()
        self.log("train/loss", loss.detach(), on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_index: int) -> None:
        generator = Generator().manual_seed(batch_index)
        loss = self.losses(self.codec.encode(batch.items), generator).mean()
        self.log("val/loss", loss, on_epoch=True, batch_size=len(batch.label))

    def degrade(self, x_0: Tensor, t: int, z: Tensor) -> tuple[Tensor, Tensor]:
        """x_t of x_0 (B, C, H, W), and the process's own noise, made of z ~ N(0, I)."""
        eps = self.process.noise(z.to(x_0.device))
        return self.process.corrupt(x_0, torch.full((len(x_0),), t, device=x_0.device), eps), eps

    def restore(
        self,
        x_t: Tensor,
        t: int | None = None,
        eps: Tensor | None = None,
        sampler: Sampler | None = None,
        generator: Generator | None = None,
    ) -> Tensor:
        """x_0 of x_t (B, C, H, W) at the timestep t, by the walk of a sampler.

        Args:
            t: None: T.
            eps: the process's own noise, where it has some.
            sampler: None: the model's own.
        """
        start = self.process.steps if t is None else t
        walk = self.sampler if sampler is None else sampler
        restorer: Any = Restorer(
            self.restorer.network, Until(self.process, start), self.restorer.residual
        )
        return walk(restorer, x_t.to(self.device), generator, eps=eps)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Of the z that one image is made of.

        Raises:
            UserError: the process ends in no known distribution.
        """
        if not hasattr(self.process, "prior"):
            raise UserError(
                f"process={type(self.process).__name__.lower()} ends in images, not in noise that"
                " new ones could be made of: task=restore, or process=blur or pixelate"
            )
        return self.shape  # type: ignore[return-value]

    def generate(
        self, noise: Tensor, label: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """Images from the noise, see `Generates`."""
        x_T = self.process.prior(noise.to(self.device))
        return self.codec.decode(self.restore(x_T, generator=generator))

    @torch.no_grad()
    def sample(self, n: int, *, seed: int = 0, batch_size: int = 64) -> Tensor:
        """n new images (n, C, H, W) in [0, 1]; the same seed gives the same.

        Raises:
            ValueError: n is not positive.
        """
        if n < 1:
            raise ValueError(f"n={n}: ask for one item or more")
        noise = torch.randn((n, *self.noise_shape), generator=Generator().manual_seed(seed))
        return torch.cat([self.generate(some) for some in noise.split(batch_size)])
