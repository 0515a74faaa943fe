"""Batch normalisation, with statistics of all noise levels together or of each by itself."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.image_moments import image_moments, scaled_and_shifted
from diffstn.networks.blocks.told import Told

LEVELS = 8


class ModulatedBatchNorm(nn.Module):
    r"""$y = (1 + s)\,(\gamma\,\frac{h - \mu_k}{\sqrt{v_k + \epsilon}} + \beta) + b$ by channel.

    μ_k and v_k are mean and variance over all items and places of a batch whose timestep lies in
    the k-th of K equal bins of 1…T, k = ⌊(t − 1) K / T⌋, and in evaluation running means of those.
    K = 1 is batch normalisation as usual: one mean for all noise levels.

    A batch of training holds all t, a batch of sampling one. With `live`, the statistics are always
    those of the batch at hand, also while sampling, which is what a network does that is left in
    training mode: it is there to show what comes of it.

    Args:
        groups: not used: a batch norm has none.
        channels: C.
        levels: K.
        steps: T.
        live: take the statistics of the batch in evaluation, too.
        momentum: weight of a new batch in the running means.
        eps: ε.

    Shapes: h (B, C, H, W), best with channels last; s and b (B, C) or neither → (B, C, H, W).

    Raises:
        ValueError: there is no level, or, at the call of a norm with levels, no t.

    Source: Ioffe and Szegedy, Batch Normalization, 2015, algorithms 1 and 2.
    """

    mean: Tensor
    variance: Tensor
    batches: Tensor

    def __init__(
        self,
        groups: int,
        channels: int,
        levels: int = 1,
        steps: int = 1000,
        live: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        if not 1 <= levels <= steps:
            raise ValueError(f"levels={levels}: there are 1 to {steps}, as many as timesteps")
        self.levels, self.steps, self.live = levels, steps, live
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(levels, channels))
        self.register_buffer("variance", torch.ones(levels, channels))
        self.register_buffer("batches", torch.zeros(levels, dtype=torch.long))

    def forward(
        self,
        h: Tensor,
        s: Tensor | None = None,
        b: Tensor | None = None,
        told: Told | None = None,
    ) -> Tensor:
        with torch.autocast(h.device.type, enabled=False):
            k = self.level(h, told)
            if self.training or self.live:
                mean, variance, count = self.of_batch(h, k)
                if self.training:
                    self.remember(mean, variance, count)
            else:
                mean, variance = self.mean, self.variance
            factor = (variance + self.eps).rsqrt() * self.weight
            offset = self.bias - mean * factor
            factor, offset = factor[k], offset[k]
            if s is not None and b is not None:
                factor, offset = factor * (1 + s), offset * (1 + s) + b
            return scaled_and_shifted(h, factor, offset)

    def level(self, h: Tensor, told: Told | None) -> Tensor:
        """The bin k (B,) of each item."""
        if self.levels == 1:
            return torch.zeros(len(h), dtype=torch.long, device=h.device)
        if told is None:
            raise ValueError("a batch norm with levels of noise has to be told t")
        return ((told.t - 1) * self.levels // self.steps).clamp(0, self.levels - 1)

    def of_batch(self, h: Tensor, k: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and variance (K, C) of each bin, and how many items it has (K,)."""
        own, within = image_moments(h)
        belongs = F.one_hot(k, self.levels).T.to(own.dtype)
        count = belongs.sum(1)
        share = belongs / count.clamp(min=1)[:, None]
        mean = share @ own
        return mean, share @ (within + (own - mean[k]).square()), count

    @torch.no_grad()
    def remember(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Take those of a batch into the running means; the first of a bin as they are."""
        here = count > 0
        rate = (1 / (self.batches + 1)).clamp(min=self.momentum) * here
        for kept, new in ((self.mean, mean), (self.variance, variance)):
            kept.lerp_(new.to(kept.dtype), rate[:, None].to(kept.dtype))
        self.batches += here

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, levels={self.levels}"
