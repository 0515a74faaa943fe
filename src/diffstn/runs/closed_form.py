"""sample.py model=gaussian_1d: a model that needs no training, drawn and tested."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diffstn.diffusion.closed_form import GaussianDiffusion
from diffstn.figures.gaussian_paths import Fit, Walk, gaussian_paths
from diffstn.models.gaussian_1d import Gaussian1D
from diffstn.runs.assembly import Assembly
from diffstn.runs.tables import markdown
from diffstn.store.run_folder import RunFolder, new_folder

ARRIVED = 0.01
"""Kolmogorov-Smirnov distance from N(0, 1) below which q(x_T) counts as noise."""


def fit(name: str, draws: Tensor, mean: float, variance: float) -> Fit:
    """The Kolmogorov-Smirnov distance of draws (n,) from N(mean, variance), and its p-value."""
    from scipy.stats import kstest

    found = kstest(draws.numpy(), "norm", args=(mean, variance**0.5))
    return Fit(name, mean, variance, float(found.statistic), float(found.pvalue))


def walks(
    diffusion: GaussianDiffusion, n: int, drawn: int, generator: torch.Generator
) -> list[Walk]:
    """The forward process and both ways back, with the fits at their ends.

    Of the n paths of each, `drawn` are kept.
    """
    m, p = diffusion.mean, diffusion.variance
    noise = ("$x_T$ against N(0, 1)", 0.0, 1.0)
    target = (f"$x_0$ against N({m:g}, {p:g})", m, p)

    def walk(title: str, paths: Tensor, expected: tuple[str, float, float], back: bool) -> Walk:
        name, mean, variance = expected
        ends = paths[0 if back else -1].clone()
        kept = paths[:, :drawn].clone()
        return Walk(title, kept, ends, fit(name, ends, mean, variance), back)

    return [
        walk("forward", diffusion.forward_paths(n, generator), noise, False),
        walk("reverse, $x_0$ known", diffusion.posterior_paths(n, generator), target, True),
        walk("reverse, exact", diffusion.marginal_paths(n, generator), target, True),
    ]


def draw_closed_form(settings: dict[str, Any], config: dict[str, Any]) -> list[Path]:
    """Simulate every schedule, print the tests, write the figure and the numbers."""
    model: Gaussian1D = Assembly(config).model
    generator = torch.Generator().manual_seed(settings["seed"])
    rows = [
        (name, walks(diffusion, model.paths, model.drawn, generator))
        for name, diffusion in model.diffusions.items()
    ]
    folder = RunFolder(settings["out"] or new_folder(f"samples/{config['choices']['model']}"))
    table, numbers = [], {}
    for name, (there, known, back) in rows:
        left = model.diffusions[name].distance_to_noise()
        reaches = left <= ARRIVED
        table.append(
            [
                name,
                *(f"{w.fit.distance:.4f} (p = {w.fit.p_value:.3f})" for w in (there, known, back)),
                f"{left:.4f}",
                "yes" if reaches else "no",
            ]
        )
        numbers[name] = {
            "x_T": there.fit._asdict(),
            "x_0, known": known.fit._asdict(),
            "x_0, exact": back.fit._asdict(),
            "x_T, exact distance": left,
            "reaches N(0, 1)": reaches,
        }
    headings = [
        "KS of",
        "x_T",
        "x_0, known",
        "x_0, exact reverse",
        "x_T, no sampling",
        "reaches N(0, 1)",
    ]
    steps = next(iter(model.diffusions.values())).schedule.steps
    print(f"{model.paths} paths of T = {steps} steps\n\n{markdown(headings, table)}\n")
    figure = gaussian_paths(rows, folder.path / "gaussian_1d.png")
    written = [figure, folder.write_json("gaussian_1d", numbers)]
    for path in written:
        print(f"wrote {path}")
    return written
