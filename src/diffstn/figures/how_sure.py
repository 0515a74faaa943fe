"""What confidence means, and what is gained by doing without the least sure answers."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from diffstn.figures.plotted import plotted
from diffstn.figures.style import BLUE, MUTED, RULE, hexadecimal

BINS = 10


def how_sure_page(confidence: Tensor, right: Tensor, path: str | os.PathLike[str]) -> Path:
    """Plot the share that is right against confidence, and the error against coverage.

    Left, a dot for each of ten groups of equally many answers, with two standard errors; on the
    diagonal confidence is what it says. Right, the error among the surest, from half of all to all;
    the lowest curve that is possible with so many errors is grey.

    Args:
        confidence: of n answers, in [0, 1].
        right: whether they are, (n,).
        path: The image to write; its suffix (png, svg, pdf) chooses the format.

    Returns:
        ``path``.

    Raises:
        ValueError: If there are fewer than ten answers, or shapes do not fit.
    """
    if confidence.shape != right.shape or len(confidence) < BINS:
        raise ValueError(
            f"{len(confidence)} confidences and {len(right)} answers: give ten or more"
        )

    confidence, order = confidence.cpu().double().sort(descending=True, stable=True)
    right = right.cpu().double()[order]
    groups = list(zip(confidence.tensor_split(BINS), right.tensor_split(BINS), strict=True))
    means = torch.tensor([[float(c.mean()), float(r.mean())] for c, r in groups])
    spread = [2 * (float(r.mean() * (1 - r.mean())) / len(r)) ** 0.5 for _, r in groups]
    kept = torch.arange(1, len(right) + 1)
    error = 100 * (1 - right.cumsum(0) / kept)
    best = 100 * (kept - right.sum()).clamp_min(0) / kept
    with plotted(path, (7.2, 3.2)) as figure:
        left, other = figure.subplots(1, 2)
        low = min(0.9, float(means.min()) - 0.05)
        left.plot([low, 1], [low, 1], color=hexadecimal(RULE), linewidth=1.2)
        left.errorbar(
            means[:, 0], means[:, 1], yerr=spread, fmt="o", color=hexadecimal(BLUE), markersize=4
        )
        left.set(xlabel="confidence", ylabel="share that is right", ylim=(low, 1.01))
        share = 100 * kept / len(kept)
        curves = {"best possible": (best, MUTED), "measured": (error, BLUE)}
        for name, (curve, colour) in curves.items():
            x, y = (of[len(kept) // 2 :] for of in (share, curve))
            other.plot(x, y, color=hexadecimal(colour), linewidth=1.4, label=name)
        other.set(xlabel="answered, surest first, %", ylabel="wrong among them, %", ylim=(0, None))
        other.legend()
    return Path(path)
