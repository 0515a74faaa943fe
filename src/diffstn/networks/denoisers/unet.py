"""The UNet: images in, images of the same size out, told how noisy and of what."""

from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.annotations import AtLeast
from diffstn.networks.blocks.condition_embedding import ConditionEmbedding
from diffstn.networks.blocks.label_channel import LabelChannel
from diffstn.networks.blocks.norms import NormFactory, Norms
from diffstn.networks.blocks.resampling import Resampling
from diffstn.networks.blocks.residual_block import ResidualBlock
from diffstn.networks.blocks.spatial_attention import SpatialAttention
from diffstn.networks.blocks.told import Told

LABELS = ("embedding", "channel")


class Stage(nn.Module):
    """A residual block and, if so chosen, attention after it."""

    def __init__(self, block: ResidualBlock, attention: SpatialAttention | None) -> None:
        super().__init__()
        self.block, self.attention = block, attention

    def forward(self, h: Tensor, m: Tensor, told: Told | None = None) -> Tensor:
        h = self.block(h, m, told)
        return h if self.attention is None else self.attention(h)


class UNet(nn.Module):
    """Levels of residual blocks, the sides halved from one to the next, and the way back up.

    On the way up every block is also shown what its opposite on the way down has seen. The default
    shape has 3 levels of 2 blocks. Two more stages lie in the middle, between the deepest level's
    way down and its way up, the first with attention if any level has.

    Args:
        channels: C of the images.
        size: (H, W) of the images; both divisible by patch · 2^(levels − 1).
        classes: number of labels; 0 for a network without.
        outputs: images to answer: 1, or 2 if the variance is learned too.
        steps: T, see `ConditionEmbedding`.
        embedding: length of a vector that describes the wanted image; 0 for none.
        image_channels: channels of an image of the same size to be seen beside x_t; 0 for none.
        width: channels of the first level.
        multipliers: of `width`, one for each level.
        blocks: residual blocks of a level, on the way down and again on the way up.
        attention: the levels with self-attention, 0 being the first; they cost the square of the
            number of cells.
        head_features: channels of an attention head.
        groups: of the group normalisations.
        dropout: probability within the blocks.
        scale_shift: how blocks hear the condition, see `ResidualBlock`.
        residual_resampling: change sides within residual blocks of their own, instead of by a
            strided convolution on the way down and plain repetition on the way up.
        zero_init: let every block start as its shortcut, and the network by answering 0.
        time_features: of the sinusoidal timestep embedding.
        norm: of the blocks and before the last layer, one of `NAMES` in `norms.py` or a factory,
            see `ResidualBlock`. A `conditional_` norm hears the label, and nothing else does.
        patch: side of the squares of pixels that are one place of the first level, their pixels
            its channels: a quarter of the work for 2, at the same width.
        label: how else the network hears it: by an `embedding` that is added to that of t, or as a
            `channel` beside the image.

    Shapes: x_t (B, C, H, W), t (B,), label (B,), embedding (B, embedding), image
    (B, image_channels, H, W) → (B, outputs · C, H, W).

    Raises:
        ValueError: the sides cannot be halved so often, a width does not suit groups or heads, a
            name is unknown, a single class is to be told apart, the label is heard in two ways, or,
            at the call, an image is wanted and does not come.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, appendix B, and Dhariwal and
    Nichol, 2021, section 3, for the options.
    """

    needs = ("upright",)

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        classes: int = 0,
        outputs: int = 1,
        steps: int = 1000,
        embedding: int = 0,
        image_channels: int = 0,
        width: int = 64,
        multipliers: Sequence[int] = (1, 2, 2),
        blocks: int = 2,
        attention: Sequence[int] = (),
        head_features: int = 32,
        groups: int = 8,
        dropout: float = 0.0,
        scale_shift: bool = True,
        residual_resampling: bool = False,
        zero_init: bool = True,
        time_features: int = 128,
        norm: str | NormFactory = "group",
        label: str = "embedding",
        patch: Annotated[int, AtLeast(1)] = 1,
    ) -> None:
        super().__init__()
        levels = len(multipliers)
        widths = [width * multiplier for multiplier in multipliers]
        if not levels or min(widths) < 1 or blocks < 1:
            raise ValueError("a UNet needs a level, a block and a positive width at least")
        halved = patch * 2 ** (levels - 1)
        if any(side % halved for side in size):
            good = " x ".join(str(max(1, round(side / halved)) * halved) for side in size)
            squares = f" of squares of {patch} x {patch} pixels" if patch > 1 else ""
            smaller = "a smaller network.patch, " if patch > 1 else ""
            raise ValueError(
                f"{levels} levels{squares} halve the sides {levels - 1} times, and {size[0]} x"
                f" {size[1]} is not divisible by {halved}: take {smaller}fewer network.multipliers,"
                f" or images of {good}"
            )
        if any(w % groups for w in widths):
            raise ValueError(f"groups={groups} must divide the channels of every level, {widths}")
        if bad := [level for level in attention if not 0 <= level < levels]:
            raise ValueError(f"attention on level {bad[0]}: there are levels 0 to {levels - 1}")
        if label not in LABELS:
            raise ValueError(f"unknown network.label={label}; choose one of {', '.join(LABELS)}")
        chosen = Norms(norm, classes, steps)
        by_channel = label == "channel"
        if by_channel and not classes:
            raise ValueError(
                "network.label=channel is told the class: model.conditional=true, or"
                " network.label=embedding"
            )
        if by_channel and classes < 2:
            raise ValueError("network.label=channel tells classes apart, and the data have one")
        if by_channel and chosen.hears_label:
            raise ValueError(
                f"network.norm={norm} hears the label already: network.label=embedding, or"
                " network.norm=group"
            )
        condition = 4 * width
        self.labels_in_m = classes > 0 and not by_channel and not chosen.hears_label
        in_m = classes if self.labels_in_m else 0
        self.condition = ConditionEmbedding(condition, in_m, time_features, steps)
        self.label_channel = LabelChannel(classes, size) if by_channel else None
        self.classes = classes
        self.described = nn.Linear(embedding, condition) if embedding else None
        self.channels, self.image_channels, self.patch = channels, image_channels, patch

        def block(inputs: int, outputs: int, resampling: str = "none") -> ResidualBlock:
            settings = (groups, dropout, scale_shift, resampling, zero_init, chosen.factory)
            return ResidualBlock(inputs, outputs, condition, *settings)

        def stage(inputs: int, outputs: int, attends: bool) -> Stage:
            seen = SpatialAttention(outputs, head_features, groups, zero_init) if attends else None
            return Stage(block(inputs, outputs), seen)

        def halving(width: int) -> nn.Module:
            if residual_resampling:
                return Stage(block(width, width, "down"), None)
            return nn.Conv2d(width, width, 3, stride=2, padding=1)

        def doubling(inputs: int, outputs: int) -> nn.Module:
            if residual_resampling:
                return Stage(block(inputs, outputs, "up"), None)
            return nn.Sequential(nn.Conv2d(inputs, outputs, 1), Resampling("up"))

        entering = patch**2 * (channels + image_channels + by_channel)
        self.first = nn.Conv2d(entering, widths[0], 3, padding=1)
        self.down, self.smaller = nn.ModuleList(), nn.ModuleList()
        now = widths[0]
        for level, wide in enumerate(widths):
            sizes = [now, *[wide] * blocks]
            self.down.append(
                nn.ModuleList(stage(a, wide, level in attention) for a in sizes[:blocks])
            )
            now = wide
            if level < levels - 1:
                self.smaller.append(halving(wide))
        self.middle = nn.ModuleList([stage(now, now, bool(attention)), stage(now, now, False)])
        self.up, self.larger = nn.ModuleList(), nn.ModuleList()
        for level, wide in reversed(list(enumerate(widths))):
            if level < levels - 1:
                self.larger.append(doubling(now, wide))
            self.up.append(
                nn.ModuleList(stage(2 * wide, wide, level in attention) for _ in range(blocks))
            )
            now = wide
        self.norm = chosen.factory(groups, now)
        self.last = nn.Conv2d(now, patch**2 * outputs * channels, 3, padding=1)
        if zero_init:
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(
        self,
        x_t: Tensor,
        t: Tensor,
        label: Tensor | None = None,
        embedding: Tensor | None = None,
        image: Tensor | None = None,
    ) -> Tensor:
        m, told = self.heard(t, label, embedding)
        h, seen = self.encoded(self.entered(x_t, image, label), m, told)
        return self.decoded(h, seen, m, told)

    def heard(
        self, t: Tensor, label: Tensor | None = None, embedding: Tensor | None = None
    ) -> tuple[Tensor, Told]:
        """What modulates the blocks, (B, 4 · width), and what their norms are told."""
        if label is not None and not self.classes:
            raise ValueError("this network knows no classes: leave label out")
        m = self.condition(t, label if self.labels_in_m else None)
        if self.described is not None and embedding is not None:
            m = m + self.described(embedding)
        return m, Told(t, label)

    def entered(
        self, x_t: Tensor, image: Tensor | None = None, label: Tensor | None = None
    ) -> Tensor:
        """The first layer's answer, (B, width, H / patch, W / patch)."""
        if self.image_channels:
            if image is None:
                raise ValueError("this network wants an image beside x_t")
            x_t = torch.cat([x_t, image], dim=1)
        if self.label_channel is not None:
            x_t = self.label_channel(x_t, label)
        return self.first(self.squares(x_t).contiguous(memory_format=torch.channels_last))

    def squares(self, image: Tensor) -> Tensor:
        """Pixels as channels of their squares: (B, C · patch², H / patch, W / patch)."""
        return F.pixel_unshuffle(image, self.patch) if self.patch > 1 else image

    def encoded(self, h: Tensor, m: Tensor, told: Told) -> tuple[Tensor, list[Tensor]]:
        """The way down and the middle: its answer, and what the way up is to be shown."""
        seen: list[Tensor] = []
        for level, stages in enumerate(self.down):
            for stage in stages:  # type: ignore[attr-defined]
                h = stage(h, m, told)
                seen.append(h)
            if level < len(self.smaller):
                h = resampled(self.smaller[level], h, m, told)
        for stage in self.middle:
            h = stage(h, m, told)
        return h, seen

    def decoded(self, h: Tensor, seen: Sequence[Tensor], m: Tensor, told: Told) -> Tensor:
        """The way up from the middle h, shown from its end what the way down has seen."""
        left = list(seen)
        for level, stages in enumerate(self.up):
            if level:
                h = resampled(self.larger[level - 1], h, m, told)
            for stage in stages:  # type: ignore[attr-defined]
                h = stage(torch.cat([h, left.pop()], dim=1), m, told)
        answer = self.last(F.silu(self.norm(h, told=told)))
        return F.pixel_shuffle(answer, self.patch) if self.patch > 1 else answer


def resampled(module: nn.Module, h: Tensor, m: Tensor, told: Told | None = None) -> Tensor:
    """Change of sides, by a stage that hears the condition or by a layer that does not."""
    return module(h, m, told) if isinstance(module, Stage) else module(h)
