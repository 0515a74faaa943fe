"""The autoencoder in whose latents a diffusion model can work."""

from typing import Annotated, Any

import torch
from torch import Generator, Tensor

from diffstn.annotations import NotNegative, OneOf
from diffstn.build import Factory, fitted
from diffstn.data.facts import Facts
from diffstn.models.given import Given
from diffstn.models.noise import noise_for
from diffstn.models.optimised import OptimisedModule
from diffstn.networks.autoencoders.coder import Coder


class Autoencoder(OptimisedModule):
    r"""Learns $\hat x = D(z)$, $z \sim q(z | x)$, by the error of the image and a small
    regularisation of the latent,

        L = |x̂ − x|^p + w_e (|∂_h x̂ − ∂_h x|^p + |∂_w x̂ − ∂_w x|^p) / 2 + R(z),

    each the mean over its numbers; p is 1 or 2 (`l1`, `l2`), and ∂ are the differences of
    neighbouring pixels, in which a soft edge costs more than it does in the pixels.

    Args:
        facts: of the data.
        network: makes what encodes and decodes, see `ConvAutoencoder`.
        regularisation: makes R, see `KL` and `VQ`.
        pixel_loss: says p.
        edge_weight: w_e.
        optimisation: see `OptimisedModule`.

    Source: Rombach et al., High-Resolution Image Synthesis with Latent Diffusion Models, 2022,
    section 3.1, without the adversary and the perceptual loss.
    """

    needs = ("upright",)
    monitor = ("val/loss", "min")

    def __init__(
        self,
        facts: Facts,
        network: Factory,
        regularisation: Factory,
        pixel_loss: Annotated[str, OneOf(("l1", "l2"))] = "l1",
        edge_weight: NotNegative = 0.0,
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        self.facts, self.pixel_loss, self.edge_weight = facts, pixel_loss, edge_weight
        moments = _of(regularisation).moments
        made = fitted(
            network, must=("moments",), channels=facts.channels, size=facts.size, moments=moments
        )
        self.coder = Coder(made, fitted(regularisation, latent_channels=made.latent[0]))

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) as they come back, without chance."""
        return self.coder.decode(self.coder.encode(images))

    @torch.no_grad()
    def reconstruct(self, images: Any) -> Tensor:
        """Images as they come back, in the shape and the type they came; see `Given` for images."""
        given = Given(images, self.facts, self.facts.size, self.device)
        return given.like(self(given.images), pixels=True)

    def distance(self, made: Tensor, images: Tensor) -> Tensor:
        """The error without the regularisation, a scalar."""
        difference = made - images
        size = torch.abs if self.pixel_loss == "l1" else torch.square
        loss = size(difference).mean()
        if self.edge_weight:
            edges = sum(size(difference.diff(dim=d)).mean() for d in (-2, -1)) / 2
            loss = loss + self.edge_weight * edges
        return loss

    def losses(
        self, images: Tensor, generator: Generator | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch, and what it is made of."""
        latent = images.new_empty(len(images), *self.coder.latent_shape)
        coded = self.coder(images, noise_for(latent, generator))
        error = self.distance(coded.images, images)
        return error + coded.loss, {"error": error.detach(), **coded.logged}

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        loss, parts = self.losses(batch.items)
        named = {"train/loss": loss.detach(), **{f"train/{k}": v for k, v in parts.items()}}
        self.log_dict(named, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_index: int) -> None:
        loss, parts = self.losses(batch.items, Generator().manual_seed(batch_index))
        named = {"val/loss": loss, **{f"val/{k}": v for k, v in parts.items()}}
        self.log_dict(named, on_epoch=True, batch_size=len(batch.label))


def _of(factory: Factory) -> Any:
    """What a factory makes instances of."""
    return getattr(factory, "func", factory)
