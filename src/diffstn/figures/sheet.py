"""A sheet of paper on which tiles, words and marks are placed to the pixel."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffstn.figures.style import FONT, INK, PAPER, RGB, WRONG

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont


@lru_cache(maxsize=32)
def font(size: int) -> FreeTypeFont:
    """The font of the plots, ``size`` pixels high, from the file that matplotlib ships."""
    import matplotlib
    from PIL import ImageFont

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{FONT.replace(' ', '')}.ttf"
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


def text_width(text: str, size: int) -> int:
    """Width in pixels of ``text`` set in :func:`font` of that size."""
    return round(font(size).getlength(text))


class Sheet:
    """A white RGB page; positions are (x, y) in pixels from the upper left corner.

    Args:
        width, height: Size of the page in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self.image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def tile(self, pixels: NDArray[np.uint8], x: int, y: int) -> None:
        """Place bytes (h, w, 3) with their upper left corner at (x, y)."""
        from PIL import Image

        self.image.paste(Image.fromarray(pixels), (x, y))

    def text(self, text: str, x: int, y: int, size: int, colour: RGB = INK, at: str = "lm") -> None:
        """Set a line; ``at`` is its anchor: l, m, r across, then a (top), m, s (baseline)."""
        self._draw.text((x, y), text, fill=colour, font=font(size), anchor=at)

    def turned(self, text: str, x: int, y: int, size: int, colour: RGB = INK) -> None:
        """Set a line that runs upwards from (x, y), its middle across x."""
        from PIL import Image, ImageDraw

        line = Image.new("RGB", (text_width(text, size) + 2, size + size // 2), PAPER)
        middle = (1, line.height // 2)
        ImageDraw.Draw(line).text(middle, text, fill=colour, font=font(size), anchor="lm")
        upwards = line.rotate(90, expand=True)
        self.image.paste(upwards, (x - upwards.width // 2, y - upwards.height))

    def bar(self, x: int, y: int, width: int, height: int, colour: RGB) -> None:
        """Fill a rectangle; one of no width or height leaves no mark."""
        if width > 0 and height > 0:
            self._draw.rectangle((x, y, x + width - 1, y + height - 1), fill=colour)

    def mark_wrong(
        self, x: int, y: int, width: int, height: int, line: int, label: str = "", size: int = 0
    ) -> None:
        """Outline a tile as wrong, and say on a strip below it what it was taken for.

        Outline, ``line`` pixels wide, and strip lie *around* the tile and hide nothing of it. The
        strip, if there is a label, is ``size`` pixels high with the outline's lower edge in it; the
        label shrinks to the width of the tile.
        """
        box = (x - line, y - line, x + width + line - 1, y + height + line - 1)
        self._draw.rectangle(box, outline=WRONG, width=line)
        if label:
            self.bar(box[0], y + height, width + 2 * line, size, WRONG)
            letters = size * 3 // 4
            while letters > 6 and text_width(label, letters) > width:
                letters -= 1
            self.text(label, x + width // 2, y + height + size // 2, letters, PAPER, "mm")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, making its folder if need be, and return where it is."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.image.save(path)
        return path
