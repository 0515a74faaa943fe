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
    """A page of samples under the data, and the reverse process as a strip and as an animation.

    Args:
        real: clouds (A, N, D) of data.
        shape: of the noise that as many clouds are sampled from.
        label: classes that the model is told.
        names: of the clouds.
        generator: of all that is random.
    """
    count, _, dim = real.shape
    side = min(320, WIDTH // count)
    condition = model.condition(label)

    def as_clouds(x: Tensor) -> Tensor:
        return model.codec.decode(x).cpu().reshape(count, -1, dim)

    finer = replace(model.sampler, steps=min(STEPS_SHOWN, model.denoiser.schedule.steps))
    x_T = model.noise(shape, generator)
    kept = collect(finer.trajectory(model.guided, x_T, generator, **condition), as_clouds)
    made = model.sampler(model.guided, model.noise(shape, generator), generator, **condition)
    titles = [f"{name}, generated" if label is not None else "generated" for name in names]
    page = panel_page(
        torch.cat([cloud_images(one, side) for one in (real, as_clouds(made))]),
        folder / "samples.png",
        [*(f"{name}, real" for name in names), *titles],
        columns=count,
    )
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
    return [("samples", page), ("reverse_process_moving", moving), ("reverse_process", strip)]
