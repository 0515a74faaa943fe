"""From noise to styles, and their mean."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.equalised import EqualisedLinear, activated
from diffstn.ranks import summed

DECAY = 0.995
"""Of the running mean of styles, per batch of training."""


class Mapping(nn.Module):
    r"""z → w by a few layers, and for each class the running mean $\bar w$ of what it answers.

    z is normalised to mean square 1, and beside it stands the embedding of the label, likewise.
    Truncation with ψ goes from w to $\bar w + \psi (w - \bar w)$: nearer to the mean samples are
    more alike and fewer fail.

    Args:
        latent: features of z.
        width: features of w.
        layers: how many.
        classes: number of labels; 0: none.
        pace: learning rate relative to that of all else.

    Shapes: z (B, latent), label (B,) → w (B, width).

    Source: Karras et al., A Style-Based Generator Architecture, 2019.
    """

    mean: Tensor
    batches: Tensor

    def __init__(
        self, latent: int, width: int, layers: int, classes: int = 0, pace: float = 0.01
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, latent) if classes else None
        inputs = [latent * (2 if classes else 1), *[width] * (layers - 1)]
        self.layers = nn.ModuleList(EqualisedLinear(i, width, pace=pace) for i in inputs)
        self.register_buffer("mean", torch.zeros(max(classes, 1), width))
        self.register_buffer("batches", torch.zeros(max(classes, 1), 1))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        h = normalised(z.float())
        with torch.autocast(h.device.type, enabled=False):
            if self.embedding is not None:
                assert label is not None
                h = torch.cat([h, normalised(self.embedding(label))], dim=1)
            for layer in self.layers:
                h = activated(layer(h))
        return h

    @torch.no_grad()
    def observe(self, w: Tensor, label: Tensor | None = None) -> None:
        """Move the means of the classes towards styles (B, width) of a batch that processes share.

        The first batches of a class count alike.
        """
        count = len(self.mean)
        rows = torch.zeros(len(w), dtype=torch.long, device=w.device) if label is None else label
        of = F.one_hot(rows, count).to(w).T  # (classes, B)
        number, total = summed(of.sum(1, keepdim=True)), summed(of @ w)
        here = number > 0
        rate = (1 / (self.batches + 1)).clamp_min(1 - DECAY) * here
        self.mean.lerp_(total / number.clamp_min(1), rate)
        self.batches += here

    def truncated(self, w: Tensor, truncation: float, label: Tensor | None = None) -> Tensor:
        """Styles (B, width) on the way to their class's mean: 1 leaves them, 0 is the mean."""
        mean = self.mean[torch.zeros_like(w[:, 0], dtype=torch.long) if label is None else label]
        return mean.lerp(w, truncation)


def normalised(z: Tensor) -> Tensor:
    """z (B, D), its mean square 1."""
    return z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
