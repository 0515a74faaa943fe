"""Group normalisation that scales and shifts by a condition in the same pass."""

import torch
from torch import Tensor, nn

from diffstn.networks.blocks.image_moments import image_moments, scaled_and_shifted
from diffstn.networks.blocks.told import Told


class ModulatedGroupNorm(nn.Module):
    r"""$y = (1 + s)\,(\gamma\,\frac{h - \mu}{\sqrt{v + \epsilon}} + \beta) + b$ for each channel.

    μ and v are the mean and the variance of the image's group of channels. All of it is one
    factor and one offset for each image and channel, whatever the number of groups, and the
    condition costs nothing. See `image_moments` for how exact they are; under autocast h is bf16.

    Args:
        groups: they must divide the channels.
        channels: C.
        eps: ε.

    Shapes: h (B, C, H, W), best with channels last; s and b (B, C) or neither → (B, C, H, W). What
    it is `told` else does not matter to it.

    Raises:
        ValueError: groups do not divide channels.

    Source: Wu and He, Group Normalization, 2018, eq. 1 and 7; the modulation: Dhariwal and
    Nichol, 2021, section 3.
    """

    def __init__(self, groups: int, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        if groups < 1 or channels % groups:
            raise ValueError(f"groups={groups} must divide the {channels} channels")
        self.groups, self.eps = groups, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(
        self,
        h: Tensor,
        s: Tensor | None = None,
        b: Tensor | None = None,
        told: Told | None = None,
    ) -> Tensor:
        with torch.autocast(h.device.type, enabled=False):
            own, around = image_moments(h)
            size = h.shape[1] // self.groups
            mean = own.unflatten(1, (self.groups, -1)).mean(-1).repeat_interleave(size, dim=1)
            within = around + (own - mean).square()
            variance = within.unflatten(1, (self.groups, -1)).mean(-1)
            spread = (variance + self.eps).rsqrt().repeat_interleave(size, dim=1)
            factor = spread * self.weight
            offset = self.bias - mean * factor
            if s is not None and b is not None:
                factor, offset = factor * (1 + s), offset * (1 + s) + b
            return scaled_and_shifted(h, factor, offset)

    def extra_repr(self) -> str:
        return f"{self.groups}, {len(self.weight)}"
