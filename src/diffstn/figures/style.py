"""The look all figures share: a few colours, one set of line styles.

The accents are those of Okabe and Ito (*Color Universal Design*, 2008): they stay apart under
every common colour-vision deficiency. Meaning never rests on colour alone: what is wrong is
outlined and labelled, what is true is dashed.
"""

from __future__ import annotations

from typing import Any

RGB = tuple[int, int, int]

PAPER: RGB = (255, 255, 255)
TILE: RGB = (241, 240, 236)
"""Where a grey image is 0: a shade off the paper, so that its frame can be seen."""
INK: RGB = (22, 24, 30)
"""Where a grey image is 1, and the text."""
MUTED: RGB = (104, 106, 112)
RULE: RGB = (206, 206, 202)
BLUE: RGB = (0, 114, 178)
WRONG: RGB = (213, 94, 0)
"""Vermillion: a prediction that is not the label, and nothing else."""

CYCLE: tuple[RGB, ...] = (BLUE, (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), INK)
"""Colours of curves, in order."""


def mix(a: RGB, b: RGB, weight: float) -> RGB:
    """``(1 - weight) a + weight b``, rounded, for ``weight`` in [0, 1]."""
    red, green, blue = (round((1 - weight) * p + weight * q) for p, q in zip(a, b, strict=True))
    return red, green, blue


def hexadecimal(colour: RGB) -> str:
    """``(213, 94, 0)`` as ``"#d55e00"``, the way matplotlib takes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


FONT = "DejaVu Sans"
"""Of pages and plots alike; matplotlib ships it."""

PLOT: dict[Any, Any] = {
    "font.family": FONT,
    "font.size": 9,
    "text.color": hexadecimal(INK),
    "axes.edgecolor": hexadecimal(MUTED),
    "axes.labelcolor": hexadecimal(INK),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "grid.color": hexadecimal(RULE),
    "grid.linewidth": 0.5,
    "xtick.color": hexadecimal(MUTED),
    "ytick.color": hexadecimal(MUTED),
    "legend.frameon": False,
}
"""Settings for :func:`matplotlib.rc_context`."""
