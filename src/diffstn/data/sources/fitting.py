"""Images of any kind and size as bytes of one shape."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffstn.errors import UserError

MODES = {1: "L", 3: "RGB"}
WHITE = (255, 255, 255)
FINER = 3
"""How many times as fine as what comes out an image stays, at least, when it is made smaller fast
before it is resampled well.
"""


def check_shape(image_size: Any, channels: Any) -> tuple[int, int]:
    """(height, width) as a tuple.

    Raises:
        UserError: there is no image of this size and so many channels.
    """
    size = tuple(image_size) if hasattr(image_size, "__iter__") else ()
    if len(size) != 2 or not all(isinstance(n, int) and n > 0 for n in size):
        size = ()
    if not size or channels not in MODES:
        raise UserError(
            f"data.image_size={image_size} data.channels={channels}: a size is [height, width], and"
            " images have 1 channel (grey) or 3 (colour)"
        )
    return size[0], size[1]


def check_background(background: Any, channels: int) -> tuple[int, int, int]:
    """The colour (red, green, blue) in 0 … 255 of a grey level, or of three, in [0, 1].

    Raises:
        UserError: it is none.
    """
    levels = tuple(background) if hasattr(background, "__iter__") else (background,) * 3
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in levels)
    if not (numbers and len(levels) == 3 and all(0 <= n <= 1 for n in levels)):
        raise UserError(
            f"data.background={background}: a grey level from 0 to 1, or [red, green, blue]"
        )
    if channels == 1 and len(set(levels)) > 1:
        raise UserError(
            f"data.background={background}: grey images (data.channels=1) take a grey level"
        )
    red, green, blue = (round(255 * n) for n in levels)
    return red, green, blue


def fitted(
    image: Any,
    size: tuple[int, int] | None,
    channels: int,
    background: Sequence[int] = WHITE,
) -> Tensor:
    """(C, H, W) uint8: scaled until it covers `size`, cropped to it around the centre.

    Transparent places show the background, before anything is scaled. Grey becomes colour, and
    colour grey, as asked for; 16 bits become 8.

    Args:
        image: a Pillow image.
        size: (height, width); None: as it is.
        channels: 1 or 3.
        background: red, green and blue in 0 … 255.

    Raises:
        ValueError: the numbers of a floating-point image have no known range.
    """
    from PIL import Image, ImageOps

    if (
        size and image.format == "JPEG"
    ):  # decoded at an eighth, quarter or half where that is enough
        image.draft(None, (FINER * max(size),) * 2)
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise ValueError("its numbers have no known range; save it with 8 or 16 bits")
    if image.mode.startswith("I"):  # 16 bits, which converting would cut off
        wide = np.asarray(image, dtype=np.float64) / 257
        image = Image.fromarray(wide.round().clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (*background, 255))
        image = Image.alpha_composite(ground, image)
    image = image.convert(MODES[channels])
    height, width = size or (image.height, image.width)
    if image.size != (width, height):
        scale = min(image.width / width, image.height / height)
        left, top = (image.width - scale * width) / 2, (image.height - scale * height) / 2
        box = (left, top, left + scale * width, top + scale * height)
        image = image.resize((width, height), Image.Resampling.LANCZOS, box, FINER)
    array = np.asarray(image, dtype=np.uint8)
    return torch.from_numpy(array.reshape(height, width, channels).copy()).permute(2, 0, 1)
