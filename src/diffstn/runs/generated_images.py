"""The figures of a generative model of images."""

from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.codecs.pixels import as_data, as_images
from diffstn.diffusion.interpolation import encode, linear, spherical
from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.schedules import Cosine, Linear
from diffstn.diffusion.wrappers import ClassifierFree
from diffstn.figures.animation import digits_turning_gif
from diffstn.figures.contact import contact_sheet
from diffstn.figures.panels import panel_page
from diffstn.figures.reverse_strip import reverse_strip
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.runs.sampling_steps import finely_stepped

COLUMNS = 10
SCALES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Guidance scales of the sweep."""
WIDTH = 960


def draw_images(
    model: DiffusionModel, data: Any, folder: Path, seed: int, per_class: int
) -> list[tuple[str, Path]]:
    """Samples by class, the ways to noise and back, what the network says, interpolations."""
    shown = Drawing(model, data, folder, seed)
    drawn = [shown.samples(per_class), *shown.reverse(), shown.forward(), shown.noise()]
    if len(data.split("test").labels) > 1:
        drawn.append(shown.between())
    return [*drawn, shown.guidance()] if model.conditional and model.label_dropout else drawn


class Drawing:
    """One model's figures, all at the scale that suits its images.

    Args:
        model: in evaluation mode.
        data: its images.
        folder: where the figures go.
        seed: of the noise.
    """

    def __init__(self, model: DiffusionModel, data: Any, folder: Path, seed: int) -> None:
        self.model, self.data, self.folder = model, data, folder
        self.generator = Generator().manual_seed(seed)
        self.item = (data.channels, *data.size)
        self.names = data.classes[:COLUMNS]
        self.scale = max(1, WIDTH // COLUMNS // data.size[1])
        labels = data.split("test").labels.cpu()
        rows = [(labels == c).nonzero()[:1, 0] for c in range(len(self.names))]
        self.real = data.batch("test", torch.cat(rows), model.device)

    def condition(self, label: Tensor) -> dict[str, Tensor]:
        heard = self.model.conditional or self.model.guides
        return self.model.condition(label.cpu() if heard else None)

    def draw(self, x_T: Tensor, label: Tensor) -> Tensor:
        condition = self.condition(label)
        drawn = self.model.sampler(self.model.guided, x_T, self.generator, None, **condition)
        return as_images(drawn).cpu()

    def page(self, name: str, images: Tensor, titles: list[str], columns: int) -> tuple[str, Path]:
        """Groups of images (G, n, C, H, W), each a block of `columns` under its title."""
        gap = max(1, self.scale // 2)
        blocks = torch.stack([contact_sheet(g, columns, self.scale, gap) for g in images])
        across = max(1, WIDTH // blocks.shape[-1])
        path = panel_page(blocks, self.folder / f"{name}.png", titles, across)
        return name, path

    def samples(self, per_class: int) -> tuple[str, Path]:
        """A column for every class, or a block where the model hears none."""
        count = len(self.names)
        label = torch.arange(count).repeat_interleave(per_class)
        x_T = self.model.noise((len(label), *self.item), self.generator)
        drawn = self.draw(x_T, label).unflatten(0, (count, per_class))
        if not (self.model.conditional or self.model.guides):
            return self.page("samples", drawn.flatten(0, 1)[None], ["generated"], COLUMNS)
        return self.page("samples", drawn, [str(name) for name in self.names], 1)

    def reverse(self) -> list[tuple[str, Path]]:
        """x_t as an animation, x̂_0 as a strip."""
        label = torch.arange(len(self.names))
        x_T = self.model.noise((len(label), *self.item), self.generator)
        steps, frames, estimates = [], [], []
        with finely_stepped(self.model.sampler, self.model.denoiser.schedule.steps):
            walk = self.model.sampler.trajectory(
                self.model.guided, x_T, self.generator, None, **self.condition(label)
            )
            for t, x_t, x_0 in walk:
                steps.append(t)
                frames.append(as_images(x_t).cpu())
                estimates.append(as_images(x_0).cpu())
        moving = digits_turning_gif(
            torch.stack(frames),
            self.folder / "reverse_process.gif",
            columns=5,
            scale=self.scale,
            unit=3,
            frame_ms=100,
        )
        strip = reverse_strip(
            torch.stack(estimates),
            self.folder / "reverse_process.png",
            timesteps=torch.tensor(steps),
            columns=COLUMNS,
            scale=self.scale,
            unit=2,
        )
        return [("reverse_process_moving", moving), ("reverse_process", strip)]

    def forward(self) -> tuple[str, Path]:
        """The same image and the same noise under the linear and the cosine schedule."""
        x_0 = as_data(self.real.image[:1])
        eps = torch.randn(x_0.shape, generator=self.generator).to(x_0)
        rows = []
        for schedule in (Linear().to(x_0.device), Cosine().to(x_0.device)):
            t = torch.linspace(0, schedule.steps, COLUMNS).round().long().to(x_0.device)
            x_t = schedule.add_noise(x_0.expand(COLUMNS, -1, -1, -1), t, eps)
            rows.append(as_images(x_t).cpu())
        titles = ["linear, t = 0 … T", "cosine, t = 0 … T"]
        return self.page("forward_process", torch.stack(rows), titles, COLUMNS)

    def noise(self) -> tuple[str, Path]:
        """Image, noisy image, its noise, the network's idea of the noise and of the image."""
        x_0, schedule = as_data(self.real.image), self.model.denoiser.schedule
        t = torch.linspace(0.1, 0.9, len(x_0)).mul(schedule.steps).long().to(x_0.device)
        eps = torch.randn(x_0.shape, generator=self.generator).to(x_0)
        x_t = schedule.add_noise(x_0, t, eps)
        condition = {"label": self.real.label} if self.model.conditional else {}
        said = self.model.denoiser(x_t, t, **condition)
        titles = [
            f"x_0; noise grows from t = {int(t[0])} to {int(t[-1])}",
            "x_t, image and noise",
            "the true noise, from -2 to 2",
            "what the network takes for the noise",
            "what it takes for x_0",
        ]
        rows = (x_0, x_t, eps / 2, said.eps / 2, said.x_0)
        return self.page("noise", torch.stack([as_images(x).cpu() for x in rows]), titles, len(x_0))

    def between(self) -> tuple[str, Path]:
        """From one noise to another, straight and along the arc; from one image to another.

        All by DDIM without noise, as the model's own sampler may draw some at every step. Between
        real images, which may be of two classes, no class is told.
        """
        weights, model = torch.linspace(0, 1, COLUMNS), self.model
        pair = self.data.batch("test", torch.arange(2), model.device)
        one, other = (self.data.classes[int(c)] for c in pair.label)
        ddim = DDIM(model.sampler.steps, model.sampler.spacing, model.sampler.clip)
        steps = ddim.timesteps(model.denoiser.schedule)
        told = self.condition(pair.label[:1].expand(COLUMNS))
        a, b = model.noise((2, *self.item), self.generator)
        first, second = encode(model.guided, as_data(pair.image), steps)
        ways = ((linear(a, b, weights), told), (spherical(a, b, weights), told))
        untold: dict[str, Tensor] = {}
        rows = [
            as_images(ddim(model.guided, x_T, None, None, **condition)).cpu()
            for x_T, condition in (*ways, (spherical(first, second, weights), untold))
        ]
        titles = [
            "between two noises, straight",
            "between two noises, along the arc",
            f"between the noises of a real {one} and a real {other}",
        ]
        return self.page("interpolation", torch.stack(rows), titles, COLUMNS)

    def guidance(self) -> tuple[str, Path]:
        """The same noise under more and more guidance, a column for every class."""
        label = torch.arange(len(self.names)).repeat(2)
        x_T = self.model.noise((len(label), *self.item), self.generator)
        rows, state = [], self.generator.get_state()
        for scale in SCALES:
            self.generator.set_state(state)  # the sampler may draw noise on the way, too
            led = ClassifierFree(self.model.denoiser, scale)
            condition = self.model.condition(label)
            drawn = self.model.sampler(led, x_T, self.generator, None, **condition)
            rows.append(as_images(drawn).cpu())
        titles = [f"guidance_scale = {scale:g}" for scale in SCALES]
        return self.page("guidance", torch.stack(rows), titles, len(self.names))
