"""The figures of a generative model of points: samples beside data, and how they come about."""

from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.figures.animation import digits_turning_gif
from diffstn.figures.cloud_images import cloud_images
from diffstn.figures.panels import panel_page
from diffstn.figures.reverse_strip import reverse_strip
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.runs.sampling_steps import finely_stepped

POINTS = 2000
SHOWN = 6
WIDTH = 960


def draw_clouds(
    model: DiffusionModel, data: Any, folder: Path, seed: int, columns: int = SHOWN
) -> list[tuple[str, Path]]:
    """A page of samples under the data, and the reverse process as a strip and as an animation."""
    generator = Generator().manual_seed(seed)
    if data.kind == "points":
        labels = torch.arange(len(data.classes)) if model.conditional else torch.zeros(1).long()
        every = labels.repeat_interleave(POINTS)
        shape: tuple[int, ...] = (len(every), data.dim)
        real = torch.stack(
            [
                data.draw(POINTS, generator, int(c) if model.conditional else None).items
                for c in labels
            ]
        )
        names = data.classes if model.conditional else ["+".join(data.classes)]
    else:
        held_out = data.split("test").first(columns)
        labels = every = held_out.labels.cpu()
        real = held_out.items.cpu()
        shape = tuple(real.shape)
        names = [data.classes[c] for c in labels]
    side = min(320, WIDTH // len(labels))
    condition = model.condition(every if model.conditional else None)
    steps, frames, estimates = [], [], []

    def as_clouds(x: Tensor) -> Tensor:
        return x.float().cpu().reshape(len(labels), -1, data.dim)

    with finely_stepped(model.sampler, model.denoiser.schedule.steps):
        walk = model.sampler.trajectory(
            model.guided, model.noise(shape, generator), generator, None, **condition
        )
        for t, x_t, x_0 in walk:
            steps.append(t)
            frames.append(as_clouds(x_t))
            estimates.append(as_clouds(x_0))
    drawn = model.sampler(model.guided, model.noise(shape, generator), generator, None, **condition)
    made = [f"{name}, generated" if model.conditional else "generated" for name in names]
    page = panel_page(
        torch.cat([cloud_images(one, side) for one in (real, as_clouds(drawn))]),
        folder / "samples.png",
        [*(f"{name}, real" for name in names), *made],
        columns=len(labels),
    )
    moving = digits_turning_gif(
        torch.stack([cloud_images(frame, side * 3 // 4) for frame in frames]),
        folder / "reverse_process.gif",
        columns=SHOWN,
        scale=1,
        unit=3,
        frame_ms=100,
    )
    strip = reverse_strip(
        torch.stack([cloud_images(estimate, side * 3 // 4) for estimate in estimates]),
        folder / "reverse_process.png",
        timesteps=torch.tensor(steps),
        columns=9,
        scale=1,
        unit=2,
    )
    return [("samples", page), ("reverse_process_moving", moving), ("reverse_process", strip)]
