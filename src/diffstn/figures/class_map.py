"""Points of the plane coloured by class, generated ones beside real ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from diffstn.figures.plotted import plotted
from diffstn.figures.style import INK, hexadecimal


def class_map(
    points: Tensor,
    labels: Tensor,
    generated: Tensor,
    classes: Sequence[str],
    path: str | os.PathLike[str],
    titles: Sequence[str] = ("real", "generated"),
) -> Path:
    """Plot real points on the left and generated ones on the right, on the same axes.

    A class has its colour, and its name at the median of its points in each panel.

    Args:
        points: (N, 2).
        labels: (N,).
        generated: (N,) bool.
        classes: their names.
        path: the image to write.
        titles: of the panels.

    Returns:
        ``path``.

    Raises:
        ValueError: the shapes do not fit.
    """
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) == len(labels) == len(generated):
        raise ValueError("a map needs points (N, 2), labels (N,) and which of them are generated")
    import matplotlib

    points, labels, generated = points.cpu(), labels.cpu(), generated.cpu().bool()
    colours = matplotlib.colormaps["tab10" if len(classes) <= 10 else "tab20"]
    with plotted(path, (8, 4), 130) as figure:
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, title, shown in zip(panels, titles, (~generated, generated), strict=True):
            axes.set_title(title)
            axes.set(xticks=[], yticks=[])
            for number, name in enumerate(classes):
                some = points[shown & (labels == number)]
                if not len(some):
                    continue
                axes.scatter(*some.T.numpy(), s=6, linewidths=0, color=colours(number % colours.N))
                x, y = some.median(0).values.tolist()
                box = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1}
                place = {"ha": "center", "va": "center", "fontsize": 8, "bbox": box}
                axes.text(x, y, str(name), color=hexadecimal(INK), **place)
    return Path(path)
