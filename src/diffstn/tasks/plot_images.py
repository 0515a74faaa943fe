"""Which figures there are of a generative model of images."""

from pathlib import Path
from typing import Any

from diffstn.models.diffusion_model import DiffusionModel
from diffstn.models.generates import Styled
from diffstn.tasks.image_figures import ImageFigures
from diffstn.tasks.memorisation import memorisation
from diffstn.tasks.style_figures import between_noises, truncations
from diffstn.tasks.task import Figure


def plot_images(model: Any, data: Any, folder: Path, seed: int, per_class: int) -> list[Figure]:
    """Samples by class, and what training images are near to them; beyond that, what a model can.

    Of a diffusion model the ways to noise and back, what the network says, and interpolations; of a
    model with styles interpolations and truncations.
    """
    shown = ImageFigures(model, data, folder, seed)
    figures = [shown.samples(per_class)]
    if isinstance(model, DiffusionModel):
        figures += [*shown.reverse(), shown.forward(), shown.noise()]
        if data.count("test") > 1:
            figures.append(shown.between())
        if model.conditional and model.label_dropout:
            figures.append(shown.guidance())
    if isinstance(model, Styled):
        figures += [between_noises(shown), truncations(shown)]
    return [*figures, memorisation(shown)]
