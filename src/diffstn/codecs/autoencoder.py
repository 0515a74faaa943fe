"""Images as the latents of a trained autoencoder."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from diffstn.build import Kept, part, with_part
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.networks.digest import digest_of
from diffstn.networks.frozen import Frozen

SMALLEST_STD = 1e-4
"""A channel that varies less says nothing, and is left as it is."""


class AutoencoderCodec(Frozen):
    r"""$x_0 = (z - \mu) / s$, channel by channel, of the latent z = E(image); and D(s x_0 + μ).

    E and D are those of a run of `model=autoencoder`, and learn no more. Its latents have any
    scale, while noise has the variance 1: μ and s are taken from the training images when a model
    begins to train (`fit`), and travel with its weights. So does the autoencoder, as a frozen judge
    does: the folder of its run is not looked for again.

    Latents are bounded by nothing and have a density, not bits: `clip` and `bins` are None.

    Args:
        run: folder of the autoencoder's run.
        kept: what `self_contained` put there; of another run it counts for nothing.

    Raises:
        UserError: there is no such run, it is no autoencoder, it is not the one that the
            model has learned with, or (`facts`) it codes other images.
    """

    clip = None
    bins = None
    mean: Tensor
    std: Tensor
    digest: Tensor

    def __init__(self, run: str | None = None, kept: Kept | None = None) -> None:
        if run is None:
            raise UserError(
                "codec=autoencoder needs a trained one: pass codec=<folder of a run of"
                " model=autoencoder>"
            )
        model, brought = part(run, kept)
        if not hasattr(model, "coder"):
            raise UserError(
                f"codec.run={run} is no run of an autoencoder: train one with model=autoencoder"
            )
        super().__init__(model.coder)
        self.run, self.theirs = run, model.facts
        self.coder.brought_weights = brought  # μ and s are the model's own
        channels = model.coder.latent_shape[0]
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))
        digest = digest_of(model.coder.state_dict()) if brought else torch.zeros(16).byte()
        self.register_buffer("digest", digest)

    @property
    def coder(self) -> Any:
        """Encodes and decodes, see `Coder`."""
        return self.network

    def facts(self, data: Facts) -> Facts:
        """Those of the latents.

        Raises:
            UserError: the autoencoder has learned on images of other channels or another size.
        """
        theirs = self.theirs
        if (theirs.channels, theirs.size) != (data.channels, data.size):
            asked, known = (
                f"{f.channels}-channel images of {' x '.join(map(str, f.size or ()))}"
                for f in (data, theirs)
            )
            raise UserError(
                f"codec.run={self.run} codes {known}, the data has {asked}: train one on this data"
                " with model=autoencoder"
            )
        channels, *size = self.coder.latent_shape
        return replace(data, channels=channels, size=tuple(size))

    @torch.no_grad()
    def fit(self, batches: Iterable[Tensor]) -> None:
        """Take μ and s from batches of images (B, C, H, W)."""
        count, total, square = 0, 0.0, 0.0
        for images in batches:
            places = self.coder.encode(images.to(self.mean.device)).double()
            places = places.movedim(1, -1).flatten(0, -2)
            count, total = count + len(places), total + places.sum(0)
            square = square + places.square().sum(0)
        mean = torch.as_tensor(total / count)
        std = (torch.as_tensor(square / count) - mean.square()).clamp_min(0).sqrt()
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std < SMALLEST_STD, 1.0, std))

    @torch.no_grad()
    def encode(self, items: Tensor) -> Tensor:
        mean, std = self._scale()
        return (self.coder.encode(items) - mean) / std

    @torch.no_grad()
    def decode(self, x_0: Tensor) -> Tensor:
        return self.unclipped(x_0)

    def unclipped(self, x_0: Tensor) -> Tensor:
        """What `decode` answers, through which gradients pass."""
        mean, std = self._scale()
        return self.coder.decode(x_0.float() * std + mean)

    def _scale(self) -> tuple[Tensor, Tensor]:
        return self.mean[:, None, None], self.std[:, None, None]

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        theirs = state.get(f"{prefix}digest")
        other = theirs is not None and not torch.equal(theirs.cpu(), self.digest.cpu())
        if other and self.coder.brought_weights:
            raise UserError(
                f"codec.run={self.run} is not the autoencoder in whose latents these weights have"
                " learned: leave codec= out"
            )
        super()._load_from_state_dict(state, prefix, *rest)

    self_contained = staticmethod(with_part)
