"""Latents that are one of a few vectors in every place."""

import torch
from torch import Tensor, nn

from diffstn.annotations import Count, NotNegative
from diffstn.networks.regularisations.regularised import Regularised
from diffstn.ranks import group, summed


class VQ(nn.Module):
    r"""$z_q = e_k$ with $k = \arg\min_i \|z - e_i\|$ in every place, gradients as if $z_q = z$, and
    $w\,\|z - \mathrm{sg}(e_k)\|^2$ in the loss, which keeps the encoder near its codes.

    The codes follow the latents by a moving average: $N_i \leftarrow \gamma N_i + (1 - \gamma)
    n_i$, $m_i \leftarrow \gamma m_i + (1 - \gamma) \sum z$ over the n_i latents of code i,
    $e_i = m_i / N_i$. A code whose N_i falls below a tenth of the mean is dead, and starts anew as
    a latent of the batch; at first all do.

    What is diffused is z, before it is rounded: a sampled latent is rounded when it is decoded.

    Args:
        latent_channels: c, the length of a code.
        codes: how many.
        weight: w.
        decay: γ.

    Shapes: (B, c, h, w) → (B, c, h, w).

    Source: van den Oord et al., Neural Discrete Representation Learning, 2017, eq. 3 and appendix
    A.1; restarts: Dhariwal et al., Jukebox, 2020, section 3.1.
    """

    moments = 1
    DEAD = 0.1
    number: Tensor
    total: Tensor

    def __init__(
        self,
        latent_channels: int,
        codes: Count = 512,
        weight: NotNegative = 0.25,
        decay: float = 0.99,
    ) -> None:
        super().__init__()
        if codes < 2:
            raise ValueError(f"codes={codes}: one code tells nothing; take 2 or more")
        if not 0 <= decay < 1:
            raise ValueError(f"decay={decay}: must be at least 0 and below 1")
        self.weight, self.decay = weight, decay
        self.register_buffer("number", torch.zeros(codes))
        self.register_buffer("total", torch.zeros(codes, latent_channels))

    @property
    def codebook(self) -> Tensor:
        """e, (codes, c)."""
        return self.total / self.number.clamp_min(1e-8)[:, None]

    def forward(self, answered: Tensor, eps: Tensor) -> Regularised:
        """The nearest code in every place; ε is not asked."""
        z = answered.float()
        places = z.movedim(1, -1).flatten(0, 2)
        if self.training:
            self._follow(places.detach())
        codes = self.codes(z)
        rounded = self._looked_up(codes)
        loss = self.weight * (z - rounded).square().mean()
        counts = torch.bincount(codes.flatten(), minlength=len(self.number)).float()
        logged = {"perplexity": perplexity(counts), "codes_used": (counts > 0).float().mean()}
        return Regularised(z + (rounded - z).detach(), loss, logged)

    def latent(self, answered: Tensor) -> Tensor:
        """z."""
        return answered.float()

    def settled(self, latent: Tensor) -> Tensor:
        """What the decoder sees of any latent: the nearest codes."""
        return self._looked_up(self.codes(latent))

    def codes(self, latent: Tensor) -> Tensor:
        """k of every place, (B, h, w)."""
        places = latent.float().movedim(1, -1)
        return self._nearest(places.flatten(0, 2)).unflatten(0, places.shape[:3])

    def _nearest(self, places: Tensor) -> Tensor:
        """k of vectors (n, c): the least ‖z − e‖², of which ‖z‖² is the same for all."""
        with torch.autocast(places.device.type, enabled=False):
            book = self.codebook
            return (book.square().sum(1) - 2 * places @ book.T).argmin(1)

    def _looked_up(self, codes: Tensor) -> Tensor:
        return self.codebook[codes].movedim(-1, 1)

    @torch.no_grad()
    def _follow(self, places: Tensor) -> None:
        """Move the codes towards the latents (n, c) of a batch, those of all processes together."""
        self._restart(places)
        codes = self._nearest(places)
        n = summed(torch.bincount(codes, minlength=len(self.number)).to(places))
        m = summed(torch.zeros_like(self.total).index_add_(0, codes, places))
        self.number.lerp_(n, 1 - self.decay)
        self.total.lerp_(m, 1 - self.decay)

    def _restart(self, places: Tensor) -> None:
        """Put latents of the first process's batch in the place of dead codes."""
        rank, world = group()
        mean = len(places) * world / len(self.number)
        dead = self.number < self.DEAD * mean
        rows = torch.randint(len(places), (len(dead),), device=places.device)
        fresh = summed(places[rows] * float(rank == 0))
        self.total.copy_(torch.where(dead[:, None], fresh * mean, self.total))
        self.number.masked_fill_(dead, mean)


def perplexity(counts: Tensor) -> Tensor:
    r"""$\exp(-\sum_i p_i \log p_i)$ of counts (codes,): how many codes are used, in effect."""
    p = counts / counts.sum()
    return torch.special.entr(p).sum().exp()
