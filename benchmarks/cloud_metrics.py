"""MMD, COV and 1-NNA of two sets of clouds: time, memory, and a plain loop over pairs beside it.

The plain loop is what one writes first: for every pair of clouds NumPy's broadcast differences,
squared and summed, and the two minima. It is timed on a few pairs and both are given per pair.

    python benchmarks/cloud_metrics.py [--clouds 256] [--points 1024]
"""

import argparse
import resource
import time

import numpy as np
import torch

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clouds", type=int, default=256, help="in each of the two sets")
    parser.add_argument("--points", type=int, default=1024, help="in each cloud")
    parser.add_argument("--pairs", type=int, default=8, help="squared, for the plain loop")
    options = parser.parse_args()
    n = options.clouds
    stars = Stars(points=options.points, train=n, test=n).load()
    generated, reference = stars["train"].items, stars["test"].items

    start = time.perf_counter()
    metric = CloudGeneration(Chamfer())
    metric.update(generated, real=False)
    metric.update(reference, real=True)
    numbers = metric.compute()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    pairs = n * n + n * (n - 1)
    print(f"{n} × {n} clouds of {options.points} points, {torch.get_num_threads()} threads")
    print(f"all four metrics: {seconds:.1f} s, {pairs:,} pairs, peak memory {peak:.2f} GiB")
    print("  ".join(f"{name} {float(value):.5g}" for name, value in numbers.items()))

    few = generated[: options.pairs], reference[: options.pairs]
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(5):
        start = time.perf_counter()
        found = pairwise(*few, Chamfer())
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        expected = plain(*(one.double().numpy() for one in few))
        theirs.append(time.perf_counter() - start)
    error = float((found - torch.from_numpy(expected)).abs().max())
    count = options.pairs**2
    ratio = np.median(theirs) / np.median(ours)
    print(
        f"per pair: ours {1e3 * np.median(ours) / count:.2f} ms, plain loop"
        f" {1e3 * np.median(theirs) / count:.2f} ms: {ratio:.0f} × faster;"
        f" largest difference {error:.1e}"
    )


if __name__ == "__main__":
    main()
