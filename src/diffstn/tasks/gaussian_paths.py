"""A normal number on its way to noise and back, simulated and tested."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import Tensor

from diffstn.annotations import AtLeast, Count
from diffstn.diffusion.closed_form import GaussianDiffusion
from diffstn.errors import UserError
from diffstn.figures.gaussian_paths import Fit, Walk, gaussian_paths
from diffstn.store.markdown import markdown
from diffstn.tasks.task import Figure, Task

ARRIVED = 0.01
"""Kolmogorov-Smirnov distance from N(0, 1) below which q(x_T) counts as noise."""


@dataclass(frozen=True, kw_only=True)
class GaussianPaths(Task):
    """Kolmogorov-Smirnov tests of the ends of simulated paths, under several schedules.

    Args:
        paths: simulated and tested.
        shown: of these, how many are plotted.
    """

    paths: Annotated[int, AtLeast(100)] = 10_000
    shown: Count = 150

    def __post_init__(self) -> None:
        if self.shown > self.paths:
            raise ValueError(f"shown={self.shown}: there are {self.paths} paths to show")

    def check(self, model: Any, data: Any) -> None:
        if not hasattr(model, "diffusions"):
            raise UserError(
                f"task=gaussian_paths is none for {type(model).__name__}: it is gaussian_1d's"
            )

    def walked(self, model: Any, seed: int) -> list[tuple[str, list[Walk]]]:
        """The paths of every schedule, with the fits at their ends."""
        generator = torch.Generator().manual_seed(seed)
        return [
            (name, walks(diffusion, self.paths, self.shown, generator))
            for name, diffusion in model.diffusions.items()
        ]

    def found(self, model: Any, rows: list[tuple[str, list[Walk]]]) -> dict[str, Any]:
        """The tests of every schedule, as they stand in the JSON file."""
        numbers = {}
        for name, (there, known, back) in rows:
            left = model.diffusions[name].distance_to_noise()
            numbers[name] = {
                "x_T": there.fit._asdict(),
                "x_0, known": known.fit._asdict(),
                "x_0, exact": back.fit._asdict(),
                "x_T, exact distance": left,
                "reaches N(0, 1)": left <= ARRIVED,
            }
        return numbers

    def measure(self, model: Any, data: Any, seed: int = 0) -> dict[str, Any]:
        schedules = self.found(model, self.walked(model, seed))
        steps = next(iter(model.diffusions.values())).schedule.steps
        headline = {name: one["x_0, exact"]["distance"] for name, one in schedules.items()}
        protocol = {"paths": self.paths, "steps": steps}
        return {"schedules": schedules, "numbers": headline, "protocol": protocol}

    def table(self, metrics: Mapping[str, Any]) -> str:
        columns = ("x_T", "x_0, known", "x_0, exact")
        rows = []
        for name, one in metrics["schedules"].items():
            fits = (one[column] for column in columns)
            cells = [f"{fit['distance']:.4f} (p = {fit['p_value']:.3f})" for fit in fits]
            arrives = "yes" if one["reaches N(0, 1)"] else "no"
            rows.append([name, *cells, f"{one['x_T, exact distance']:.4f}", arrives])
        headings = ["KS of", *columns[:2], "x_0, exact reverse", "x_T, no sampling"]
        return markdown([*headings, "reaches N(0, 1)"], rows)

    def plot(self, model: Any, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """The figure, and beside it the tests as JSON; the table is printed."""
        with torch.inference_mode(False):
            rows = self.walked(model, seed)
        schedules = self.found(model, rows)
        steps = next(iter(model.diffusions.values())).schedule.steps
        table = self.table({"schedules": schedules})
        print(f"{self.paths} paths of T = {steps} steps\n\n{table}\n")
        figure = gaussian_paths(rows, folder / "gaussian_1d.png")
        numbers = folder / "gaussian_1d.json"
        numbers.write_text(json.dumps(schedules, indent=2) + "\n")
        return [("paths", figure), ("tests", numbers)]


def fit(name: str, draws: Tensor, mean: float, variance: float) -> Fit:
    """The Kolmogorov-Smirnov distance of draws (n,) from N(mean, variance), and its p-value."""
    from scipy.stats import kstest

    found = kstest(draws.numpy(), "norm", args=(mean, variance**0.5))
    return Fit(name, mean, variance, float(found.statistic), float(found.pvalue))


def walks(
    diffusion: GaussianDiffusion, n: int, shown: int, generator: torch.Generator
) -> list[Walk]:
    """The forward process and both ways back, with the fits at their ends.

    Of the n paths of each, `shown` are kept.
    """
    m, p = diffusion.mean, diffusion.variance
    noise = ("$x_T$ against N(0, 1)", 0.0, 1.0)
    target = (f"$x_0$ against N({m:g}, {p:g})", m, p)

    def walk(title: str, paths: Tensor, expected: tuple[str, float, float], back: bool) -> Walk:
        name, mean, variance = expected
        ends = paths[0 if back else -1].clone()
        kept = paths[:, :shown].clone()
        return Walk(title, kept, ends, fit(name, ends, mean, variance), back)

    return [
        walk("forward", diffusion.forward_paths(n, generator), noise, False),
        walk("reverse, $x_0$ known", diffusion.posterior_paths(n, generator), target, True),
        walk("reverse, exact", diffusion.marginal_paths(n, generator), target, True),
    ]
