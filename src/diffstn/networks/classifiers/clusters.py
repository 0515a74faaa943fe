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

    Of several `classes` each has kinds of its own, K / classes or one more, found among its images;
    an image's kind is the nearest of those of its class. Then p(x | class) is sampled by a draw
    among these.

    Args:
        count: K.
        numbers: of one image, C · H · W.
        classes: that are told apart by their labels.

    Raises:
        ValueError: there are more classes than kinds.

    Source: Hu et al., Self-Guided Diffusion Models, 2023; Adaloglou et al., Rethinking
    cluster-conditioned diffusion models, 2024.
    """

    mean: Tensor
    axes: Tensor
    centres: Tensor
    shares: Tensor
    fitted: Tensor
    """To images of how many classes; 0: to none yet."""
    classes: Tensor
    """Of each kind, (K,)."""

    def __init__(self, count: int, numbers: int, classes: int = 1) -> None:
        super().__init__()
        if count < classes:
            raise ValueError(f"model.clusters={count}: fewer than the {classes} classes")
        parts = torch.arange(count).tensor_split(classes)
        sizes = torch.tensor([len(part) for part in parts])
        self.register_buffer(
            "classes", torch.arange(classes).repeat_interleave(sizes), persistent=False
        )
        self.examples = max(count, min(EXAMPLES, NUMBERS // numbers))
        axes = min(AXES, numbers)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("axes", torch.zeros(numbers, axes))
        self.register_buffer("centres", torch.zeros(count, axes))
        self.register_buffer("shares", torch.full((count,), 1 / count))
        self.register_buffer("fitted", torch.tensor(0))

    @torch.no_grad()
    def fit_to_images(self, batches: Iterable[Tensor], labels: Iterable[Tensor] = ()) -> None:
        """Find μ, P, c_k and the shares π_k in batches of images, unless they are known already.

        Args:
            labels: of the same batches, where there are several classes.

        Raises:
            UserError: a class has fewer images than kinds.
        """
        classes = int(self.classes[-1]) + 1
        if self.fitted == classes:  # those of others mean something else
            return
        x = torch.cat([images.float().flatten(1).cpu() for images in batches])
        several = classes > 1
        label = torch.cat([one.cpu() for one in labels]) if several else torch.zeros(len(x))
        self.mean.copy_(x.mean(0))
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)
            principal = torch.pca_lowrank(x, min(self.centres.shape[1], *x.shape))[2]
        self.axes[:, : principal.shape[1]] = principal.to(self.axes)
        at = self.placed(x).cpu()
        counts = torch.zeros(len(self.classes), dtype=torch.long)
        for name in self.classes.unique().tolist():
            kinds = torch.nonzero(self.classes.cpu() == name)[:, 0]
            some = at[label == name]
            if len(some) < len(kinds):
                whose = f" of class {name}" if several else ""
                raise UserError(
                    f"model.clusters={len(counts)}: {len(kinds)} kinds{whose}, more than its"
                    f" {len(some)} images"
                )
            start = spread_out(some, len(kinds), Generator().manual_seed(0))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a centre that is nearest to nothing
                centres, which = kmeans2(some.numpy(), start.numpy(), ROUNDS, minit="matrix")
            self.centres[kinds] = torch.from_numpy(centres).to(self.centres)
            counts[kinds] = torch.bincount(torch.from_numpy(which).long(), minlength=len(kinds))
        found = 1 + counts  # one more of each, for none is impossible
        self.shares.copy_(found / found.sum())
        self.fitted.fill_(classes)

    def placed(self, x: Tensor) -> Tensor:
        """Where images (B, D) lie along the axes, (B, axes)."""
        return (x.to(self.mean) - self.mean) @ self.axes

    @torch.no_grad()
    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        """The kind of each of the images (B, C, H, W), among those of its class if it has a label
        (B,); (B,) long.
        """
        with torch.autocast(images.device.type, enabled=False):
            apart = torch.cdist(self.placed(images.float().flatten(1)), self.centres)
        if label is not None:
            apart = apart.masked_fill(self.likely(label) == 0, torch.inf)
        return apart.argmin(1)

    def likely(self, label: Tensor) -> Tensor:
        """p(label | kind) of labels (n,), 0 or 1, (n, K)."""
        return (self.classes == label.to(self.classes.device)[:, None]).float()

    def bits(self, kinds: Tensor) -> Tensor:
        """−log₂ p(kind | class) of kinds (B,), per number of an image, (B,)."""
        of_class = torch.zeros_like(self.shares).index_add_(0, self.classes, self.shares)
        return -(self.shares / of_class[self.classes])[kinds].log2() / len(self.mean)

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
