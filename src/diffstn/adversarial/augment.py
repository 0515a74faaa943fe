"""Random changes of images that a discriminator sees, which a generator does not learn."""

import math

import torch
from torch import Tensor

from diffstn.spatial import affine_matrix, compose, warp

CHANGES = (
    *("flip", "turn", "shift", "scale", "rotation before", "stretch", "rotation after"),
    *("fraction", "brightness", "contrast", "hue", "saturation"),
)
"""The first eight are one affine map, the others one matrix of colours."""
VALUES = 14
"""Numbers that say how far they go; two of them have two."""
NUMBERS = len(CHANGES) + VALUES
"""That an image's changes are made of."""

SHIFT, SPREAD = 0.125, 0.2
"""The largest shift by whole pixels and the deviation of one by parts of them, in shares of a side;
the deviation of log₂ of a scale, and of brightness."""
CONTRAST, SATURATION = 0.5, 1.0
"""Deviations of log₂."""
LUMA = (1 / 3**0.5,) * 3
"""The direction of grey."""


def augment(images: Tensor, p: Tensor | float, numbers: Tensor) -> Tensor:
    r"""Images as a discriminator is shown them, each of twelve changes made with probability p.

    Mirrored; turned by a multiple of 90°; shifted by whole pixels, up to ⅛ of a side; scaled by
    $2^{0.2 n}$; rotated; stretched along one axis by $2^{0.2 n}$ and along the other by its
    inverse; rotated again; shifted by parts of pixels ($n/8$ of a side); for colours: brightness
    $0.2 n$, contrast $2^{0.5 n}$, hue by any angle, saturation $2^{n}$, with n ~ N(0, 1). All maps
    of the plane are composed and images are read once, through `spatial.warp`, reflected beyond
    their borders. Colours (r, g, b, 1) are mapped by one 4 × 4 matrix; hue and saturation act on
    three channels alone. The result is differentiable in the images.

    **Why it does not leak.** The discriminator sees real and generated images after the same random
    map T. If the distributions of T x and T x̃ agree only where those of x and x̃ do, the generator
    has to match the data themselves. A rotation by 0, 90, 180 or 270° at random makes every image
    and its turned copy alike: it cannot be undone, and turned images leak into the samples. Made
    with probability p < 1 it leaves the identity the most frequent, and can be: up to p ≈ 0.8 there
    is no leak in practice (section 3.1 and appendix C of the source).

    Args:
        images: (B, C, H, W), centred: 0 is mid-grey and ±1 the ends of the range.
        p: in [0, 1], a number or a tensor (). Each rotation is made with $1 - \sqrt{1 - p}$, so
            that there is one with p.
        numbers: (B, `NUMBERS`), uniform in [0, 1): all that is random.

    Returns:
        (B, C, H, W), in the images' dtype.

    Raises:
        ValueError: the numbers are not (B, `NUMBERS`).

    Source: Karras et al., Training Generative Adversarial Networks with Limited Data, 2020.
    """
    if tuple(numbers.shape) != (len(images), NUMBERS):
        raise ValueError(
            f"{len(images)} images take numbers ({len(images)}, {NUMBERS}), not"
            f" {tuple(numbers.shape)}"
        )
    p = torch.as_tensor(p, dtype=torch.float32, device=images.device)
    gates, values = numbers.float().split([len(CHANGES), VALUES], dim=1)
    chance = p.expand(len(CHANGES)).clone()
    chance[[CHANGES.index(name) for name in ("rotation before", "rotation after")]] = (
        1 - (1 - p).sqrt()
    )
    on = dict(zip(CHANGES, (gates < chance).unbind(1), strict=True))
    moved = warp(images, placed(values[:, :10], on, images.shape[-2:]), padding="reflection")
    return coloured(moved, values[:, 10:], on)


def normal(u: Tensor) -> Tensor:
    """N(0, 1) of numbers uniform in [0, 1)."""
    return torch.special.ndtri(u.clamp(1e-6, 1 - 1e-6))


def placed(values: Tensor, on: dict[str, Tensor], size: torch.Size) -> Tensor:
    """θ (B, 2, 3) of the first eight changes, from their values (B, 10)."""
    flip, turn, shift_x, shift_y, scale, before, stretch, after, x, y = values.unbind(1)
    zero, one = torch.zeros_like(flip), torch.ones_like(flip)

    def if_on(name: str, value: Tensor, rest: Tensor = zero) -> Tensor:
        return torch.where(on[name], value, rest)

    def pixels(u: Tensor, side: int) -> Tensor:
        return ((2 * u - 1) * SHIFT * side).round() * 2 / side

    height, width = size
    k = if_on("scale", (SPREAD * normal(scale)).exp2(), one)
    s = if_on("stretch", (SPREAD * normal(stretch)).exp2(), one)
    quarter = math.pi / 2 * (4 * turn).floor()
    theta = affine_matrix(
        if_on("turn", quarter),
        if_on("flip", torch.where(flip < 0.5, 1.0, -1.0), one),
        one,
        if_on("shift", pixels(shift_x, width)),
        if_on("shift", pixels(shift_y, height)),
    )
    for following in (
        affine_matrix(if_on("rotation before", math.pi * (2 * before - 1)), k, k),
        affine_matrix(zero, s, 1 / s),
        affine_matrix(
            if_on("rotation after", math.pi * (2 * after - 1)),
            one,
            one,
            if_on("fraction", 2 * SHIFT * normal(x)),
            if_on("fraction", 2 * SHIFT * normal(y)),
        ),
    ):
        theta = compose(theta, following)
    return theta


def coloured(images: Tensor, values: Tensor, on: dict[str, Tensor]) -> Tensor:
    """Images (B, C, H, W) after the last four changes, from their values (B, 4)."""
    bright, contrast, hue, saturation = values.unbind(1)
    gain = torch.where(on["contrast"], (CONTRAST * normal(contrast)).exp2(), 1.0)
    lift = torch.where(on["brightness"], SPREAD * normal(bright), 0.0)
    channels = images.shape[1]
    if channels != 3:
        return (images.float() * gain[:, None, None, None] + lift[:, None, None, None]).to(images)
    v = values.new_tensor(LUMA)
    along = torch.outer(v, v)
    angle = torch.where(on["hue"], math.pi * (2 * hue - 1), 0.0)
    fade = torch.where(on["saturation"], (SATURATION * normal(saturation)).exp2(), 1.0)
    cross = v.new_tensor([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    across = cos * (torch.eye(3, device=v.device) - along) + sin * cross
    matrix = gain[:, None, None] * (along + fade[:, None, None] * across)
    colours = torch.cat([matrix, lift[:, None, None].expand(-1, 3, 1)], dim=2)  # the last row is 1
    # sums of products, so that neither autocast nor TF32 rounds a colour
    planes = images.float()[:, None] * colours[:, :, :3, None, None]
    return (planes.sum(2) + colours[:, :, 3, None, None]).to(images)
