"""The figures of a generative model of images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.diffusion.interpolation import encode, linear, spherical
from diffstn.diffusion.samplers import DDIM, collect
from diffstn.diffusion.schedules import Cosine, Linear
from diffstn.figures.animation import animation_gif
from diffstn.figures.contact import contact_sheet
from diffstn.figures.panels import panel_page
from diffstn.figures.reverse_strip import reverse_strip

STEPS_SHOWN = 40
"""Of a reverse process, enough for motion to be seen."""
COLUMNS = 10
SCALES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Guidance scales of the sweep."""
WIDTH = 960


class ImageFigures:
    """One model's figures, all at the scale that suits its images.

    Args:
        model: in evaluation mode.
        data: its images.
        folder: where the figures go.
        seed: of the noise.
    """

    def __init__(self, model: Any, data: Any, folder: Path, seed: int) -> None:
        self.model, self.data, self.folder = model, data, folder
        self.generator = Generator().manual_seed(seed)
        self.item = model.noise_shape
        self.classes = data.facts.classes
        self.names = self.classes[:COLUMNS]
        self.scale = max(1, WIDTH // COLUMNS // data.facts.size[1])
        self.label = torch.arange(len(self.names))
        labels = data.labels("test")
        rows = [(labels == c).nonzero()[:1, 0] for c in range(len(self.names))]
        self.real = data.batch("test", torch.cat(rows), model.device)

    def condition(self, label: Tensor) -> dict[str, Any]:
        return self.model.condition(label.cpu() if self.model.hears_label else None)

    def decoded(self, x_0: Tensor) -> Tensor:
        return self.model.codec.decode(x_0).cpu()

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
        noise = torch.randn((len(label), *self.item), generator=self.generator)
        told = label if self.model.hears_label else None
        made = self.model.generate(noise, told, self.generator).cpu()
        made = made.unflatten(0, (count, per_class))
        if not self.model.hears_label:
            return self.page("samples", made.flatten(0, 1)[None], ["generated"], COLUMNS)
        return self.page("samples", made, [str(name) for name in self.names], 1)

    def reverse(self) -> list[tuple[str, Path]]:
        """x_t as an animation, x̂_0 as a strip."""
        label = torch.arange(len(self.names))
        x_T = self.model.noise((len(label), *self.item), self.generator)
        finer = replace(
            self.model.sampler, steps=min(STEPS_SHOWN, self.model.denoiser.schedule.steps)
        )
        led = self.model.led(kinds=self.model.kinds(len(label), self.generator, label))
        walk = finer.trajectory(led, x_T, self.generator, **self.condition(label))
        kept = collect(walk, self.decoded)
        moving = animation_gif(
            torch.stack(kept.x_t),
            self.folder / "reverse_process.gif",
            symbol="xₜ",
            columns=5,
            scale=self.scale,
            unit=3,
            frame_ms=100,
        )
        strip = reverse_strip(
            torch.stack(kept.x_0),
            self.folder / "reverse_process.png",
            timesteps=torch.tensor(kept.timesteps),
            columns=COLUMNS,
            scale=self.scale,
            unit=2,
        )
        return [("reverse_process_moving", moving), ("reverse_process", strip)]

    def forward(self) -> tuple[str, Path]:
        """The same image and the same noise under the linear and the cosine schedule, and under
        the model's own if that is another; x_t at unit size."""
        x_0 = self.model.codec.encode(self.real.image[:1])
        eps = torch.randn(x_0.shape, generator=self.generator).to(x_0)
        own, rows = self.model.denoiser.schedule, []
        named = {"linear": Linear().to(x_0.device), "cosine": Cosine().to(x_0.device)}
        named.setdefault(type(own).__name__.lower(), own)
        for schedule in named.values():
            t = torch.linspace(0, schedule.steps, COLUMNS).round().long().to(x_0.device)
            x_t = schedule.add_noise(x_0.expand(COLUMNS, -1, -1, -1), t, eps)
            rows.append(self.decoded(schedule.to_unit(x_t, t)))
        titles = [f"{name}, t = 0 … T" for name in named]
        return self.page("forward_process", torch.stack(rows), titles, COLUMNS)

    def noise(self) -> tuple[str, Path]:
        """Image, noisy image, its noise, the network's idea of the noise and of the image."""
        x_0 = self.model.codec.encode(self.real.image)
        schedule = self.model.denoiser.schedule
        t = torch.linspace(0.1, 0.9, len(x_0)).mul(schedule.steps).long().to(x_0.device)
        eps = torch.randn(x_0.shape, generator=self.generator).to(x_0)
        x_t = schedule.add_noise(x_0, t, eps)
        condition = {"label": self.model.heard(self.real)} if self.model.is_told else {}
        said = self.model.denoiser(x_t, t, **condition)
        pixels = getattr(self.model.codec, "bins", None) is not None
        titles = [
            f"x_0; noise grows from t = {int(t[0])} to {int(t[-1])}",
            "x_t, image and noise",
            "the true noise, from -2 to 2" if pixels else "half of the true noise, decoded",
            "what the network takes for the noise",
            "what it takes for x_0",
        ]
        rows = (x_0, x_t, eps / 2, said.eps / 2, said.x_0)
        return self.page("noise", torch.stack([self.decoded(x) for x in rows]), titles, len(x_0))

    def between(self) -> tuple[str, Path]:
        """From one noise to another, straight and along the arc; from one image to another.

        All by DDIM without noise, as the model's own sampler may draw some at every step. Between
        real images, which may be of two classes, neither class nor kind is told.
        """
        weights, model = torch.linspace(0, 1, COLUMNS), self.model
        pair = self.data.batch("test", torch.arange(2), model.device)
        one, other = (self.classes[int(c)] for c in pair.label)
        ddim = DDIM(steps=model.sampler.steps, spacing=model.sampler.spacing)
        steps = ddim.timesteps(model.denoiser.schedule)
        told = self.condition(pair.label[:1].expand(COLUMNS))
        kind = model.kinds(1, self.generator, pair.label[:1])
        led = model.led(kinds=None if kind is None else kind.expand(COLUMNS))
        a, b = model.noise((2, *self.item), self.generator)
        first, second = encode(model.guided, model.codec.encode(pair.image), steps)
        ways = [self.decoded(ddim(led, way(a, b, weights), **told)) for way in (linear, spherical)]
        back = self.decoded(ddim(model.guided, spherical(first, second, weights)))
        titles = [
            "between two noises, straight",
            "between two noises, along the arc",
            f"between the noises of a real {one} and a real {other}",
        ]
        return self.page("interpolation", torch.stack([*ways, back]), titles, COLUMNS)

    def guidance(self) -> tuple[str, Path]:
        """The same noise under more and more guidance, a column for every class."""
        label = torch.arange(len(self.names)).repeat(2)
        x_T = self.model.noise((len(label), *self.item), self.generator)
        kinds = self.model.kinds(len(label), self.generator, label)
        rows, state = [], self.generator.get_state()
        for scale in SCALES:
            self.generator.set_state(state)  # the sampler may draw noise on the way, too
            led = self.model.led(scale, kinds)
            condition = self.model.condition(label)
            rows.append(self.decoded(self.model.sampler(led, x_T, self.generator, **condition)))
        titles = [f"guidance_scale = {scale:g}" for scale in SCALES]
        return self.page("guidance", torch.stack(rows), titles, len(self.names))
