"""Two denoisers that learn side by side."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from diffstn.build import Factory, fitted
from diffstn.data.facts import Facts
from diffstn.diffusion import Denoiser, Gaussian, SimpleLoss, gaussian_noise, uniform_timesteps
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.schedules import Schedule


class Pair(pl.LightningModule):
    """One denoiser of v and one of x_0, each with an optimiser of its own; samples are their mean.

    The parts are groups of the configuration: `network`, `schedule`, `sampler`, and the two
    optimisers as factories.
    """

    needs = ("numbers",)
    monitor = ("val/loss", "min")

    def __init__(
        self,
        facts: Facts,
        network: Factory,
        schedule: Schedule,
        sampler: Sampler,
        optimizer: Factory,
        second_optimizer: Factory,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.facts, self.sampler = facts, sampler
        told = {"dim": facts.dim, "steps": schedule.steps}
        self.denoisers = torch.nn.ModuleList(
            Denoiser(fitted(network, **told), Gaussian(schedule), prediction)
            for prediction in ("v", "x0")
        )
        self.factories = (optimizer, second_optimizer)
        self.loss = SimpleLoss()

    def configure_optimizers(self) -> Any:
        pairs = zip(self.factories, self.denoisers, strict=True)
        return [factory(denoiser.parameters()) for factory, denoiser in pairs]

    def losses(self, x_0: Tensor) -> list[Tensor]:
        t = uniform_timesteps(len(x_0), self.denoisers[0].schedule.steps, device=x_0.device)
        eps = gaussian_noise(x_0)
        return [self.loss(denoiser, x_0, t, eps).mean() for denoiser in self.denoisers]

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        losses = self.losses(batch.items)
        for optimizer, loss in zip(self.optimizers(), losses, strict=True):
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
        total = torch.stack(losses).sum().detach()
        self.log("train/loss", total, on_step=False, on_epoch=True)
        return total

    def validation_step(self, batch: Any, batch_index: int) -> None:
        self.log("val/loss", torch.stack(self.losses(batch.items)).sum())

    @torch.no_grad()
    def sample(self, n: int, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        x_T = torch.randn(n, self.facts.dim or 1, generator=generator).to(self.device)
        return torch.stack([self.sampler(d, x_T, generator) for d in self.denoisers]).mean(0)
