"""Kinds of images that nobody named."""

import warnings
from collections.abc import Iterable

import torch
from scipy.cluster.vq import kmeans2
from torch import Generator, Tensor, nn

from diffstn.errors import UserError

AXES = 64
"""Principal axes in which images are compared, at most."""
ROUNDS = 30
"""Of k-means."""
EXAMPLES, NUMBERS = 16_384, 2**26
"""Images to be fitted to, and numbers of all of them, at most."""


def spread_out(x: Tensor, count: int, generator: Generator) -> Tensor:
    """`count` of the points (N, D), each drawn in proportion to its squared distance from those
    before it: (count, D).

    Takes count · N · D multiplications; scipy's own takes count / 2 times as many.

    Source: Arthur and Vassilvitskii, k-means++: The Advantages of Careful Seeding, 2007.
    """
    chosen = [int(torch.randint(len(x), (), generator=generator))]
    distance = (x - x[chosen[0]]).square().sum(1)
    while len(chosen) < count:
        left = distance if distance.sum() > 0 else torch.ones_like(distance)
        chosen.append(int(torch.multinomial(left, 1, generator=generator)))
        distance = torch.minimum(distance, (x - x[chosen[-1]]).square().sum(1))
    return x[chosen]


class Clusters(nn.Module):
    r"""Which of K centres an image lies nearest to, and how often that is the case.

        kind(x) = argmin_k ‖Pᵀ (x − μ) − c_k‖

    with the mean μ and the first principal axes P of the images that it is fitted to, and the
    centres c_k of k-means among them. A network that is told the kind learns p(x | kind), which is
    narrower than p(x), and p(x) = Σ_k π_k p(x | k) is sampled by a draw of k, exactly. No label is
    looked at.

    Args:
        count: K.
        numbers: of one image, C · H · W.

    Source: Hu et al., Self-Guided Diffusion Models, 2023; Adaloglou et al., Rethinking
    cluster-conditioned diffusion models, 2024.
    """

    mean: Tensor
    axes: Tensor
    centres: Tensor
    shares: Tensor
    fitted: Tensor

    def __init__(self, count: int, numbers: int) -> None:
        super().__init__()
        self.examples = max(count, min(EXAMPLES, NUMBERS // numbers))
        axes = min(AXES, numbers)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("axes", torch.zeros(numbers, axes))
        self.register_buffer("centres", torch.zeros(count, axes))
        self.register_buffer("shares", torch.full((count,), 1 / count))
        self.register_buffer("fitted", torch.tensor(False))

    @torch.no_grad()
    def fit_to_images(self, batches: Iterable[Tensor]) -> None:
        """Find μ, P, c_k and the shares π_k in batches of images, unless they are known already.

        Raises:
            UserError: there are fewer images than centres.
        """
        if self.fitted:
            return
        x = torch.cat([images.float().flatten(1).cpu() for images in batches])
        count, axes = self.centres.shape
        if len(x) < count:
            raise UserError(f"model.clusters={count}: more than the {len(x)} images there are")
        self.mean.copy_(x.mean(0))
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)
            principal = torch.pca_lowrank(x, min(axes, *x.shape))[2]
        self.axes[:, : principal.shape[1]] = principal.to(self.axes)
        at = self.placed(x).cpu()
        start = spread_out(at, count, Generator().manual_seed(0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a centre that is nearest to nothing
            centres, kinds = kmeans2(at.numpy(), start.numpy(), ROUNDS, minit="matrix")
        self.centres.copy_(torch.from_numpy(centres))
        found = 1 + torch.bincount(torch.from_numpy(kinds).long(), minlength=count)
        self.shares.copy_(found / found.sum())  # one more of each, for none is impossible
        self.fitted.fill_(True)

    def placed(self, x: Tensor) -> Tensor:
        """Where images (B, D) lie along the axes, (B, axes)."""
        return (x.to(self.mean) - self.mean) @ self.axes

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """The kind of each of the images (B, C, H, W), (B,) long."""
        with torch.autocast(images.device.type, enabled=False):
            return torch.cdist(self.placed(images.float().flatten(1)), self.centres).argmin(1)

    def bits(self, kinds: Tensor) -> Tensor:
        """−log₂ π_k of kinds (B,), per number of an image, (B,)."""
        return -self.shares[kinds].log2() / len(self.mean)

    def images(self) -> Tensor:
        """The centres as images (K, D)."""
        return self.centres @ self.axes.T + self.mean

    def draw(
        self, n: int, generator: Generator | None = None, likely: Tensor | None = None
    ) -> Tensor:
        """n kinds, (n,) long, as often as they are among the images; on the generator's device.

        Args:
            likely: p(what is asked for | kind), (n, K): they are drawn in proportion to π_k times
                that.
        """
        device = generator.device if generator else self.shares.device
        shares = self.shares.to(device)
        if likely is None:
            return torch.multinomial(shares, n, replacement=True, generator=generator)
        return torch.multinomial(shares * likely.to(device), 1, generator=generator)[:, 0]
