"""ControlNet: a trained UNet, and a copy of its way down that learns to lead it."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from diffstn.networks.blocks.zero_conv import zero_conv
from diffstn.networks.blocks.zero_linear import zero_linear
from diffstn.networks.borrowed import Borrowed
from diffstn.networks.denoisers.unet import UNet

WAY_UP = ("up", "larger", "norm", "last")
"""Parts of a UNet that the copy leaves out."""


class Controlled(nn.Module):
    r"""A frozen UNet whose way up is also shown what a trainable copy of its way down makes of a
    control image.

    With E the base's way down and middle, E' its copy, D the way up, c the control,

    $$h = E(x_t), \quad h' = E'(x_t + S(c)), \quad
      \hat y = D\big(h + Z\,h'\big),$$

    layer by layer: Z is a zero convolution for each of the base's skips and one for the middle,
    and the stem S ends in one, too. So the network starts as its base, to the bit, and in the first
    step only the Z learn. The base has no part in this module's state, see `Borrowed`.

    Args:
        base: trained, called with neither embedding nor image.
        control_channels: K of the control.
        embedding: length of a vector that describes the control; 0 for none. It modulates the copy
            and, through a layer that starts at zero, the base.
        stem: channels of the stem.

    Shapes: x_t (B, C, H, W), t (B,), label (B,), control (B, K, H, W), embedding (B, embedding) →
    (B, outputs · C, H, W).

    Raises:
        ValueError: the base wants more than a control can be added to, or, at the call, no control
            comes, or one of another shape.

    Source: Zhang et al., Adding Conditional Control to Text-to-Image Diffusion Models, 2023.
    """

    def __init__(
        self, base: UNet, control_channels: int, embedding: int = 0, stem: int = 16
    ) -> None:
        super().__init__()
        if base.image_channels or base.described is not None:
            raise ValueError(
                "a ControlNet's base is a UNet without an image or embedding of its own"
            )
        self.channels, self.control_channels = base.channels, control_channels
        self.base = Borrowed(base)
        self.copied = deepcopy(base)
        for part in WAY_UP:
            delattr(self.copied, part)
        self.copied.requires_grad_(True).train()
        width = base.first.out_channels
        self.stem = nn.Sequential(
            nn.Conv2d(base.patch**2 * control_channels, stem, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(stem, stem, 3, padding=1),
            nn.SiLU(),
            zero_conv(stem, width),
        )
        skips = [stage.block.second.out_channels for stages in base.down for stage in stages]  # type: ignore[attr-defined]
        self.zero_skips = nn.ModuleList(zero_conv(wide, wide) for wide in skips)
        self.zero_middle = zero_conv(skips[-1], skips[-1])
        condition = base.condition.outer.out_features
        self.described = zero_linear(embedding, 2 * condition) if embedding else None

    def forward(
        self,
        x_t: Tensor,
        t: Tensor,
        label: Tensor | None = None,
        control: Tensor | None = None,
        embedding: Tensor | None = None,
    ) -> Tensor:
        wanted = (len(x_t), self.control_channels, *x_t.shape[2:])
        if control is None or tuple(control.shape) != wanted:
            there = "none" if control is None else tuple(control.shape)
            raise ValueError(f"control: this network wants one of {wanted}, there is {there}")
        base, copied = self.base.network, self.copied
        (m, told), (own, _) = base.heard(t, label), copied.heard(t, label)
        if self.described is not None and embedding is not None:
            for_base, for_copy = self.described(embedding).chunk(2, dim=1)
            m, own = m + for_base, own + for_copy
        h, seen = base.encoded(base.entered(x_t, label=label), m, told)
        control = control.contiguous(memory_format=torch.channels_last)
        entered = copied.entered(x_t, label=label) + self.stem(base.squares(control))
        led, shown = copied.encoded(entered, own, told)
        more = (zero(one) for zero, one in zip(self.zero_skips, shown, strict=True))
        seen = [one + added for one, added in zip(seen, more, strict=True)]
        return base.decoded(h + self.zero_middle(led), seen, m, told)
