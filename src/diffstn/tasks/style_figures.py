"""What styles do to images."""

import torch
from torch import Tensor

from diffstn.diffusion.interpolation import linear, spherical
from diffstn.tasks.image_figures import COLUMNS, ImageFigures
from diffstn.tasks.task import Figure

TRUNCATIONS = (1.0, 0.7, 0.5, 0.3, 0.0)


def between_noises(shown: ImageFigures) -> Figure:
    """From one noise to another, straight and along the arc, and from one style to the other.

    A straight way through noise leads past its origin, where no noise is sampled; a network that
    normalises its noise does not mind.
    """
    model, weights = shown.model, torch.linspace(0, 1, COLUMNS)
    a, b = torch.randn((2, *shown.item), generator=shown.generator).to(model.device)
    label = shown.label[:1] if model.hears_label else None
    told = None if label is None else label.expand(COLUMNS)
    ends = model.styles(torch.stack([a, b]), None if told is None else told[:2])
    still = a.expand(COLUMNS, *shown.item)
    rows = []
    for noise in (linear(a, b, weights), spherical(a, b, weights)):
        rows.append(model.styled(model.styles(noise, told), noise, told, model.truncation))
    w = linear(ends[0], ends[1], weights)
    rows.append(model.styled(w, still, told, model.truncation))
    titles = [
        "between two noises, straight",
        "between two noises, along the arc",
        "between their styles, straight",
    ]
    return shown.page("interpolation", torch.stack([r.cpu() for r in rows]), titles, COLUMNS)


def truncations(shown: ImageFigures) -> Figure:
    """The same noise, its styles nearer and nearer to their mean."""
    model = shown.model
    noise = torch.randn((2 * COLUMNS, *shown.item), generator=shown.generator).to(model.device)
    label = shown.label[torch.arange(len(noise)) % len(shown.label)] if model.hears_label else None
    w = model.styles(noise, label)
    rows: list[Tensor] = [model.styled(w, noise, label, psi).cpu() for psi in TRUNCATIONS]
    titles = [f"truncation = {psi:g}" for psi in TRUNCATIONS]
    return shown.page("truncation", torch.stack(rows), titles, COLUMNS)
