"""The figures of a generative model of points: samples beside data, and how they come about."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.diffusion.samplers import collect
from diffstn.figures.animation import animation_gif
from diffstn.figures.cloud_images import cloud_images
from diffstn.figures.panels import panel_page
from diffstn.figures.reverse_strip import reverse_strip
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.tasks.image_figures import STEPS_SHOWN
from diffstn.tasks.task import Figure

SHOWN = 6
WIDTH = 960


def plot_clouds(
    model: Any,
    real: Tensor,
    shape: tuple[int, ...],
    label: Tensor | None,
    names: Sequence[str],
    folder: Path,
    generator: Generator,
) -> list[Figure]:
    """A page of samples under the data; of a diffusion model also the reverse process.

    Args:
        real: clouds (A, N, D) of data.
        shape: of the noise that as many clouds are sampled from.
        label: classes that the model is told.
        names: of the clouds.
        generator: of all that is random.
    """
    count, _, dim = real.shape
    side = min(320, WIDTH // count)
    reverse = []
    if isinstance(model, DiffusionModel):
        reverse = plot_reverse(
            model, torch.randn(shape, generator=generator), label, count, folder, generator
        )
    made = model.generate(torch.randn(shape, generator=generator), label, generator)
    made = made.cpu().reshape(count, -1, dim)
    titles = [f"{name}, generated" if label is not None else "generated" for name in names]
    page = panel_page(
        torch.cat([cloud_images(one, side) for one in (real, made)]),
        folder / "samples.png",
        [*(f"{name}, real" for name in names), *titles],
        columns=count,
    )
    return [("samples", page), *reverse]


def plot_reverse(
    model: DiffusionModel,
    noise: Tensor,
    label: Tensor | None,
    count: int,
    folder: Path,
    generator: Generator,
) -> list[Figure]:
    """How so many clouds form of noise, as an animation of x_t and a strip of x̂_0."""
    side = min(320, WIDTH // count)

    def as_clouds(x: Tensor) -> Tensor:
        return model.codec.decode(x).cpu().reshape(count, -1, x.shape[-1])

    finer = replace(model.sampler, steps=min(STEPS_SHOWN, model.denoiser.schedule.steps))
    x_T = model.denoiser.process.prior(noise.to(model.device))
    walk = finer.trajectory(model.guided, x_T, generator, **model.condition(label))
    kept = collect(walk, as_clouds)
    moving = animation_gif(
        torch.stack([cloud_images(frame, side * 3 // 4) for frame in kept.x_t]),
        folder / "reverse_process.gif",
        symbol="xₜ",
        columns=SHOWN,
        scale=1,
        unit=3,
        frame_ms=100,
    )
    strip = reverse_strip(
        torch.stack([cloud_images(estimate, side * 3 // 4) for estimate in kept.x_0]),
        folder / "reverse_process.png",
        timesteps=torch.tensor(kept.timesteps),
        columns=9,
        scale=1,
        unit=2,
    )
    return [("reverse_process_moving", moving), ("reverse_process", strip)]
