"""What the metrics of sets say of generators whose faults are known, on 100 held-out solids.

Each generator makes as many clouds as are held out. `perfect` makes new solids; `copies` repeats
training clouds; `blurred` moves every point of new solids by noise; `one shape` makes the same
solid again and again, new points each time; `spheres only` has lost two of three kinds; `mixed
points` fills every cloud with points of all the others: the points are right and no cloud is.

    python benchmarks/known_generators.py [--clouds 100] [--points 1024]
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import torch
from rows import Rows
from torch import Generator, Tensor
from tqdm import tqdm

from diffstn.data.modules.solids import Solids
from diffstn.metrics.clouds import Chamfer, CloudGeneration


def generators(n: int, points: int) -> dict[str, Callable[[Generator], Tensor]]:
    """Names and functions that make (n, points, 3)."""
    solids, spheres = Solids(points=points), Solids(kinds=("sphere",), points=points)
    training = Solids(points=points, train=n).load()["train"].items

    def one_shape(g: Generator) -> Tensor:
        dense = solids.draw(1, 50 * points, g).items[0]
        return torch.stack(
            [dense[torch.randperm(len(dense), generator=g)[:points]] for _ in range(n)]
        )

    def mixed_points(g: Generator) -> Tensor:
        every = solids.draw(n, points, g).items.flatten(0, 1)
        return every[torch.randperm(len(every), generator=g)].view(n, points, 3)

    def blurred(g: Generator) -> Tensor:
        return solids.draw(n, points, g).items + 0.1 * torch.randn(n, points, 3, generator=g)

    return {
        "perfect": lambda g: solids.draw(n, points, g).items,
        "copies": lambda g: training,
        "blurred": blurred,
        "one shape": one_shape,
        "spheres only": lambda g: spheres.draw(n, points, g).items,
        "mixed points": mixed_points,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clouds", type=int, default=100)
    parser.add_argument("--points", type=int, default=1024)
    options = parser.parse_args(arguments)
    reference = Solids(points=options.points, test=options.clouds).load()["test"].items
    rows = Rows(["generator", "MMD", "COV %", "1-NNA %", "JSD, bit"], [len("mixed points"), 6])
    for name, make in generators(options.clouds, options.points).items():
        watched = partial(tqdm, desc=name, unit="cloud", leave=False, disable=None)
        metric = CloudGeneration(Chamfer(), progress=watched)
        metric.update(reference, real=True)
        metric.update(make(Generator().manual_seed(1)), real=False)
        found = {key: float(value) for key, value in metric.compute().items()}
        shares = [f"{100 * found[key]:.0f}" for key in ("coverage", "one_nn")]
        rows.add(name, f"{found['mmd']:.4f}", *shares, f"{found['jsd']:.3f}")


if __name__ == "__main__":
    main()
