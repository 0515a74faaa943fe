"""Diff-in-STN with noise of other kinds: accuracy on `full` after equal training.

    python benchmarks/pose_noise.py [--out runs/pose_noise] [--noises gaussian,uniform]
        [--seeds 1,2,3] [--epochs 10] [further overrides]

Every noise is that of `model.noise`. The wrapped one needs ε̂ and a schedule that goes round the
circle, which is why `exploding` is there: Gaussian noise on the six numbers with the same schedule,
prediction and sampler. Rows are printed as they come; a run that is done is read, and one that was
cut off goes on, so the same command resumes.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rows import Rows

from diffstn.cli.train import train_command
from diffstn.store.run_folder import RunFolder

EXPLODING = [
    *("model.prediction=eps", "schedule=geometric", "schedule.sigma_max=8"),
    *("sampler=dpm_solver",),
]
WORDS = {
    "gaussian": [],
    "uniform": ["model.noise=uniform"],
    "laplace": ["model.noise=laplace"],
    "exploding": EXPLODING,
    "wrapped": ["model.noise=wrapped", *EXPLODING],
}


def measured(folder: Path, words: Sequence[str]) -> dict[str, Any]:
    """What the run in a folder measured, trained first if need be.

    Raises:
        SystemExit: training failed.
    """
    run = RunFolder(folder)
    if not folder.exists() or run.read_json("status").get("state") != "done":
        train = ["model=diff_in_stn", "data/distortion=full", "report=false", *words]
        code = train_command([*train, f"out={folder}", "resume=auto"])
        if code:
            raise SystemExit(code)
    return run.read_json("metrics")


def cells(found: Sequence[dict[str, Any]], k: str) -> str:
    """Accuracy in per cent, or mean ± sd of several."""
    values = [one["k"][k]["accuracy"] for one in found]
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="runs/pose_noise")
    parser.add_argument("--noises", default=",".join(WORDS))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--epochs", type=int, default=10)
    options, further = parser.parse_known_args(arguments)
    sys.argv = sys.argv[:1]  # Hydra reads it
    rows = Rows(["noise", "seeds", "k = 1", "k = 16"], [9, 5, 12, 12])
    for noise in options.noises.split(","):
        found: list[dict[str, Any]] = []
        for seed in options.seeds.split(","):
            words = [*WORDS[noise], f"epochs={options.epochs}", f"seed={seed}", *further]
            found.append(measured(Path(options.out, f"{noise}-{options.epochs}-{seed}"), words))
            rows.add(noise, len(found), *(cells(found, k) for k in ("1", "16")))


if __name__ == "__main__":
    main()
