"""A first layer that is computed from the images instead of learned."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PatchWhitening(nn.Module):
    r"""Patches of an image as uncorrelated numbers of variance 1, with either sign,

        y = ± (Λ + ε)^{-1/2} Uᵀ (p − μ),    Cov p = U Λ Uᵀ,

    p the n = C k² numbers of a k × k patch and μ its mean by channel. It is a convolution without
    padding whose weights are not learned: neighbouring pixels are nearly alike, and without it most
    of a training goes into finding their differences. Both signs, for what follows is no odd
    function.

    Before `fit_to_images` U = Λ + ε = I and μ = 0: the pixels themselves. The fit is kept with the
    weights, and what has been fitted is not fitted again: later layers have learned to read it.

    It computes in float32 whatever the precision around it. Directions of small variance are
    differences of large numbers, of which bfloat16 leaves little; the layer takes a hundredth of
    its encoder's time.

    Args:
        channels: C of the images.
        kernel: k.
        eps: ε, in units of the squared pixel. It keeps noise small in directions in which images
            hardly vary.

    Shapes: (B, C, H, W) in [0, 1] → (B, 2n, H − k + 1, W − k + 1).

    Raises:
        ValueError: when fitted, there are no images.

    Source: fixed whitening of patches as a first layer: Page, How to Train Your ResNet 8, 2019; of
    2 × 2 patches and with both signs: Jordan, 94 % on CIFAR-10 in 3.29 Seconds on a Single GPU,
    2024, section 3.
    """

    mean: Tensor
    weight: Tensor
    fitted: Tensor

    def __init__(self, channels: int, kernel: int = 2, eps: float = 3e-5) -> None:
        super().__init__()
        self.eps = eps
        n = channels * kernel**2
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("weight", both_signs(torch.eye(n).view(n, channels, kernel, kernel)))
        self.register_buffer("fitted", torch.tensor(False))

    @torch.no_grad()
    def fit_to_images(self, batches: Iterable[Tensor], labels: Iterable[Tensor] = ()) -> None:
        """Take μ, U and Λ from all patches of batches of images, unless they are known already.

        Labels are not looked at.
        """
        if self.fitted:
            return
        _, channels, kernel, _ = self.weight.shape
        n, count = channels * kernel**2, 0
        total, squares = torch.zeros(n).double(), torch.zeros(n, n).double()
        for images in batches:
            patches = F.unfold(images.float(), kernel).transpose(1, 2).flatten(0, 1).double().cpu()
            count += len(patches)
            total += patches.sum(0)
            squares += patches.T @ patches
        if not count:
            raise ValueError("whitening needs images to be fitted to, and there are none")
        mean = total / count
        variances, axes = torch.linalg.eigh(squares / count - mean.outer(mean))
        rows = (axes * (variances.clamp_min(0) + self.eps).rsqrt()).T
        self.mean.copy_(mean.view(channels, -1).mean(1))
        self.weight.copy_(both_signs(rows.reshape(n, channels, kernel, kernel)))
        self.fitted.fill_(True)

    def forward(self, image: Tensor) -> Tensor:
        with torch.autocast(image.device.type, enabled=False):
            return F.conv2d(image.float() - self.mean.view(-1, 1, 1), self.weight)


def both_signs(rows: Tensor) -> Tensor:
    """(n, *) and their negatives, (2n, *)."""
    return torch.cat([rows, -rows])
