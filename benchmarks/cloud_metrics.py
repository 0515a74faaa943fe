"""MMD, COV and 1-NNA of two sets of clouds: time, memory, and a plain loop over pairs beside it.

The plain loop is what one writes first: for every pair of clouds NumPy's broadcast differences,
squared and summed, and the two minima. It is timed on a few pairs and both are given per pair.

    python benchmarks/cloud_metrics.py [--clouds 256] [--points 1024]
"""

import argparse
import resource
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from rows import Rows
from tqdm import tqdm

from diffstn.data.modules.stars import Stars
from diffstn.metrics.clouds import Chamfer, CloudGeneration, pairwise


def plain(xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Chamfer distances of all pairs, one pair at a time."""
    found = np.empty((len(xs), len(ys)))
    for i, x in enumerate(xs):
        for j, y in enumerate(ys):
            apart = ((x[:, None] - y[None]) ** 2).sum(-1)
            found[i, j] = apart.min(0).mean() + apart.min(1).mean()
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clouds", type=int, default=256, help="in each of the two sets")
    parser.add_argument("--points", type=int, default=1024, help="in each cloud")
    parser.add_argument("--pairs", type=int, default=8, help="squared, for the plain loop")
    options = parser.parse_args(arguments)
    n = options.clouds
    stars = Stars(points=options.points, train=n, test=n).load()
    generated, reference = stars["train"].items, stars["test"].items
    print(f"{n} x {n} clouds of {options.points} points, {torch.get_num_threads()} threads")

    few = generated[: options.pairs], reference[: options.pairs]
    ours: list[float] = []
    theirs: list[float] = []
    print(f"\nper pair, the median so far, of {options.pairs} x {options.pairs} pairs\n")
    rows = Rows(["round", "ours ms", "plain loop ms", "x times as fast", "largest difference"])
    for turn in range(1, 6):
        start = time.perf_counter()
        found = pairwise(*few, Chamfer())
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        expected = plain(*(one.double().numpy() for one in few))
        theirs.append(time.perf_counter() - start)
        error = float((found - torch.from_numpy(expected)).abs().max())
        own, other = (1e3 * np.median(seen) / found.numel() for seen in (ours, theirs))
        rows.add(turn, f"{own:.2f}", f"{other:.2f}", f"{other / own:.0f}", f"{error:.1e}")

    print("\nall four metrics\n", flush=True)
    start = time.perf_counter()
    watched = partial(tqdm, desc="distances", unit="cloud", leave=False, disable=None)
    metric = CloudGeneration(Chamfer(), progress=watched)
    metric.update(generated, real=False)
    metric.update(reference, real=True)
    numbers = metric.compute()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows = Rows(["pairs", "seconds", "peak GiB", *numbers], [7, 0, 0, *[10] * len(numbers)])
    values = (f"{float(value):.5g}" for value in numbers.values())
    rows.add(n * n + n * (n - 1), f"{seconds:.1f}", f"{peak:.2f}", *values)


if __name__ == "__main__":
    main()
