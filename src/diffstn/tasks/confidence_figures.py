"""How far a corrector's confidence can be relied on, and where it fails, to look at."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diffstn.figures.contact import contact_sheet
from diffstn.figures.how_sure import BINS, how_sure_page
from diffstn.figures.panels import panel_page
from diffstn.tasks.task import Figure

LOOKED_AT = 1000
SHOWN = 18


def confidence_figures(
    model: Any, data: Any, split: str, batch_size: int, folder: Path, seed: int = 0
) -> list[Figure]:
    """`confidence.png` and `failures.png`, of the first images of the split.

    The failures are those it was surest of: each as it came and as it was corrected, with what it
    shows, what was read and how sure it was. A corrector that was right of all has none.
    """
    count = min(LOOKED_AT, data.count(split))
    confidence, right, failures = [], [], []
    for first, rows in enumerate(torch.arange(count).split(batch_size)):
        batch = data.batch(split, rows, model.device)
        generator = torch.Generator().manual_seed(seed + first)
        found = model(batch.image, generator=generator)
        combined = model.combine(found)
        read, sure = combined.argmax(dim=1), model.confidence(found, combined)
        chosen = found.images[torch.arange(len(read)), model.representative(found)]
        confidence.append(sure.cpu())
        right.append((read == batch.label).cpu())
        for i in (read != batch.label).nonzero()[:, 0].tolist():
            title = [data.facts.classes[int(y)] for y in (batch.label[i], read[i])]
            failures.append((float(sure[i]), title, pair(batch.image[i], chosen[i])))
    figures: list[Figure] = []
    if count >= BINS:
        page = how_sure_page(torch.cat(confidence), torch.cat(right), folder / "confidence.png")
        figures.append(("confidence", page))
    if failures:
        failures.sort(key=lambda failure: -failure[0])
        shown = failures[:SHOWN]
        titles = [f"{true} read as {read}, {sure:.2f}" for sure, (true, read), _ in shown]
        sheets = torch.stack([sheet for *_, sheet in shown])
        page = panel_page(sheets, folder / "failures.png", titles, columns=6, least=1100)
        figures.append(("failures", page))
    return figures


def pair(distorted: Tensor, corrected: Tensor) -> Tensor:
    """Two images (C, H, W) side by side, the smaller one on a canvas of the larger one's size."""
    two = [distorted.cpu().float(), corrected.cpu().float().clamp(0, 1)]
    height, width = (max(image.shape[side] for image in two) for side in (1, 2))
    padded = []
    for image in two:
        y, x = height - image.shape[1], width - image.shape[2]
        padded.append(F.pad(image, (x // 2, x - x // 2, y // 2, y - y // 2)))
    return contact_sheet(torch.stack(padded), columns=2, scale=1)
