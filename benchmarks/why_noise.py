"""Why score models need noise: fields learned with none, one and many levels of it, in the plane.

The data are three normal distributions of unequal weight and unit variance, far apart, so the score
of the data and of every noisy version of them is known. The same network learns

- `no noise`: by score matching, E[|s|² / 2 + div s], the divergence exact (Hyvärinen, 2005);
- `small`, `large`: by denoising at one level;
- `many`: by denoising at geometric levels from the small one to one that spans the data.

A field's error is |ŝ − s| / |s| against the score of its own noisy density, the median over points
*where data are* (samples of it) and *between* (points of the square further from every mode than
99.9 % of the data). Then Langevin dynamics start from all over the square, as many steps for each;
those of `true` follow the true score of the data, those of `many` go from level to level. `off` is
the distance in variation of the modes' shares from the true ones, 60, 30 and 10 %, and `spread` the
deviation from the nearest mode, 1 in the data.

    python benchmarks/why_noise.py [--steps 2000] [--walk 1000] [--samples 2000] [--out why.png]
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rows import Rows
from torch import Generator, Tensor, nn

from diffstn.diffusion import Denoiser, Gaussian, SimpleLoss, score, shuffled_timesteps
from diffstn.diffusion.samplers import AnnealedLangevin
from diffstn.diffusion.schedules import Geometric
from diffstn.figures.style import BLUE, MUTED, PLOT, hexadecimal
from diffstn.networks.denoisers.points import PointDenoiser

CENTRES = torch.tensor([[-5.0, -3.0], [5.0, -3.0], [0.0, 5.0]])
WEIGHTS = torch.tensor([0.6, 0.3, 0.1])
HALF = 9.0
"""Of the square's side."""
SMALL, LARGE, WIDEST = 0.2, 6.0, 20.0
LEVELS = 30
BATCH = 256

Field = Callable[[Tensor], Tensor]


def data(n: int, sigma: float, generator: Generator) -> Tensor:
    """n points (n, 2) with noise of deviation σ."""
    mode = torch.multinomial(WEIGHTS, n, replacement=True, generator=generator)
    spread = (1 + sigma**2) ** 0.5
    return CENTRES[mode] + spread * torch.randn(n, 2, generator=generator)


def true_score(x: Tensor, sigma: float = 0.0) -> Tensor:
    """∇log Σ w N(x; c, (1 + σ²) I), for points (n, 2)."""
    variance = 1 + sigma**2
    away = CENTRES - x[:, None]
    likely = (WEIGHTS.log() - away.square().sum(-1) / 2 / variance).softmax(dim=1)
    return (likely[..., None] * away).sum(1) / variance


def network(levels: int) -> nn.Module:
    return PointDenoiser(dim=2, width=64, octaves=2, steps=levels)


def trained(module: nn.Module, loss: Callable[[], Tensor], steps: int) -> None:
    optimiser = torch.optim.Adam(module.parameters(), lr=2e-3)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
        rate.step()


def without_noise(steps: int, generator: Generator) -> Field:
    """By score matching; the divergence is the trace of the Jacobian, row by row."""
    module = network(1)

    def field(x: Tensor) -> Tensor:
        return module(x / 5, torch.ones(len(x)).long())

    def loss() -> Tensor:
        x = data(BATCH, 0.0, generator).requires_grad_()
        s = field(x)
        rows = (torch.autograd.grad(s[:, i].sum(), x, create_graph=True)[0] for i in range(2))
        divergence = sum(row[:, i] for i, row in enumerate(rows))
        return (s.square().sum(1) / 2 + divergence).mean()

    trained(module, loss, steps)
    return torch.no_grad()(field)


def with_noise(low: float, high: float, levels: int, steps: int, generator: Generator) -> Denoiser:
    """By denoising: the mean-square error of ε, which is that of the score weighted by σ²."""
    denoiser = Denoiser(network(levels), Gaussian(Geometric(levels, low, high)), "eps")
    objective = SimpleLoss()

    def loss() -> Tensor:
        t = shuffled_timesteps(BATCH, levels, generator)
        eps = torch.randn(BATCH, 2, generator=generator)
        return objective(denoiser, data(BATCH, 0.0, generator), t, eps).mean()

    trained(denoiser, loss, steps)
    return denoiser


def at_level(denoiser: Denoiser, t: int) -> tuple[Field, float]:
    """The field of a denoiser at t, and its σ."""
    sigma = float(denoiser.schedule.sigma(torch.tensor(t)))

    @torch.no_grad()
    def field(x: Tensor) -> Tensor:
        return score(denoiser, x, torch.full((len(x),), t))

    return field, sigma


def lattice(side: int) -> Tensor:
    """(side², 2), row by row from below."""
    line = torch.linspace(-HALF, HALF, side)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], dim=-1).flatten(0, 1)


def relative_error(field: Field, x: Tensor, sigma: float) -> Tensor:
    """|ŝ − s| / |s| at points (n, 2), with s the score of the data under noise σ: (n,)."""
    expected = true_score(x, sigma)
    return (field(x) - expected).norm(dim=1) / expected.norm(dim=1).clamp_min(1e-3)


def between() -> Tensor:
    """Points of the square that the data, noise aside, all but never visit."""
    x = lattice(60)
    return x[torch.cdist(x, CENTRES).min(dim=1).values > 3.72]


def langevin(field: Field, x: Tensor, size: float, steps: int, generator: Generator) -> Tensor:
    """x ← x + a/2 s + √a z."""
    for _ in range(steps):
        x = x + size / 2 * field(x) + size**0.5 * torch.randn(x.shape, generator=generator)
    return x


def shares(x: Tensor) -> Tensor:
    """Of the points, those that each centre is nearest to, (3,)."""
    return torch.cdist(x, CENTRES).argmin(dim=1).bincount(minlength=3) / len(x)


def plot(shown: Sequence[tuple[str, Field, float, Tensor]], path: Path) -> Path:
    """Fields above, where they lead below; the shade is the error, white 0, full 1 or more."""
    import matplotlib
    from matplotlib.figure import Figure

    coarse, fine = lattice(17), lattice(70)
    with matplotlib.rc_context({**PLOT, "font.size": 7, "axes.grid": False}):
        figure = Figure(figsize=(2 * len(shown), 4.3), dpi=110, layout="constrained")
        axes = figure.subplots(2, len(shown), squeeze=False)
        for (above, below), (name, field, sigma, made) in zip(axes.T, shown, strict=True):
            wrong = relative_error(field, fine, sigma).clamp(max=1).reshape(70, 70)
            extent = (-HALF, HALF, -HALF, HALF)
            above.imshow(wrong, extent=extent, origin="lower", cmap="Oranges", vmin=0, vmax=1.5)
            arrows = field(coarse)
            arrows = arrows / arrows.norm(dim=1, keepdim=True).clamp_min(1e-6).sqrt()
            above.quiver(*coarse.T, *arrows.T, color=hexadecimal(MUTED), width=0.005)
            above.set_title(name)
            found = ", ".join(f"{100 * part:.0f}" for part in shares(made).tolist())
            below.plot(*made[:1000].T, ".", ms=1, color=hexadecimal(BLUE))
            below.set_title(f"modes: {found} %")
            for one in (above, below):
                one.set(xlim=(-HALF, HALF), ylim=(-HALF, HALF), xticks=[], yticks=[], aspect=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, pil_kwargs={"optimize": True})
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000, help="of training")
    parser.add_argument("--walk", type=int, default=1000, help="steps of Langevin dynamics")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="why_noise.png")
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    generator = Generator().manual_seed(options.seed)
    header = ["field", "σ", "error where data are", "between", "modes, %", "off, %", "spread"]
    rows = Rows(header, [8, 4, 0, 0, 12])
    far, shown = between(), []

    def add(name: str, field: Field, sigma: float, made: Tensor | None) -> None:
        near = data(2000, sigma, Generator().manual_seed(1))
        errors = [f"{relative_error(field, x, sigma).median():.2f}" for x in (near, far)]
        told: list[Any] = ["", "", ""]
        if made is not None:
            found = shares(made)
            off = 50 * (found - WEIGHTS).abs().sum()
            nearest = CENTRES[torch.cdist(made, CENTRES).argmin(dim=1)]
            told = [", ".join(f"{100 * one:.0f}" for one in found), f"{off:.0f}"]
            told.append(f"{(made - nearest).square().mean().sqrt():.2f}")
            shown.append((name, field, sigma, made))
        rows.add(name, f"{sigma:.1f}", *errors, *told)

    everywhere = HALF * (2 * torch.rand(options.samples, 2, generator=generator) - 1)
    walk = partial(langevin, steps=options.walk, generator=generator)
    add("true", true_score, 0.0, walk(true_score, everywhere, 0.05))
    plain = without_noise(options.steps, generator)
    add("no noise", plain, 0.0, walk(plain, everywhere, 0.05))
    for name, sigma in (("small", SMALL), ("large", LARGE)):
        one = with_noise(0.999 * sigma, sigma, 2, options.steps, generator)
        field, sigma = at_level(one, 2)
        add(name, field, sigma, walk(field, everywhere, 0.05 * (1 + sigma**2)))
    many = with_noise(SMALL, WIDEST, LEVELS, options.steps, generator)
    rate, each = 0.3, max(1, options.walk // LEVELS)
    start = WIDEST * torch.randn(options.samples, 2, generator=generator)
    with torch.no_grad():
        made = AnnealedLangevin(each=each, rate=rate)(many, start, generator)
    field, sigma = at_level(many, 1)
    add("many", field, sigma, made)
    for t in range(6, LEVELS + 1, 6):
        add(f"many, t = {t}", *at_level(many, t), None)
    print("\nwrote", plot(shown, Path(options.out)))


if __name__ == "__main__":
    main()
