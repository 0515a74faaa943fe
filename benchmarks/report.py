"""How long does a report take, and how large is it?

A small run is trained once; a sweep of twelve jobs, four learning rates with three seeds each, is
made of copies of its files with other numbers. Then `diffstn report` is typed, in a process of its
own, for the one run and for the sweep; a row is the slowest of a few, with the seconds of
processor that it took beside those on the wall.

    python benchmarks/report.py --rounds 3
"""

import argparse
import csv
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml
from rows import Rows

ROOT = Path(__file__).parents[1]
RUN = [
    *("model=ddpm_unet", "data=mnist", "data.limit_train=200", "data.limit_val=300"),
    *("data.limit_test=300", "data.batch_size=50", "epochs=12", "task.samples=130", "task.track=0"),
    *("network.width=16", "network.head_features=16", "network.blocks=1", "accelerator=cpu"),
]
RATES, SEEDS = (3e-4, 1e-3, 3e-3, 1e-2), (1, 2, 3)


def typed(folder: Path, *words: str) -> None:
    """Run a command as a user would, in a process of its own.

    Raises:
        CalledProcessError: it failed.
    """
    subprocess.run([sys.executable, *words], cwd=folder, check=True, capture_output=True)


def cpu() -> float:
    """Seconds of processor that processes started from here have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def job(run: Path, path: Path, rate: float, seed: int) -> None:
    """A job of the sweep, of the files of a run."""
    factor = 1 + random.Random(f"{rate} {seed}").uniform(-0.1, 0.1) + 10 * abs(rate - 1e-3)
    ignored = shutil.ignore_patterns("checkpoints", "report.html")
    shutil.copytree(run, path, ignore=ignored)
    (path / "overrides.txt").write_text(f"optimizer.lr={rate}\nseed={seed}\n")
    config = yaml.safe_load((path / "config.yaml").read_text())
    config["seed"], config["optimizer"]["lr"] = seed, rate
    (path / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    metrics = json.loads((path / "metrics.json").read_text())
    metrics["numbers"] = {k: factor * v for k, v in metrics["numbers"].items()}
    (path / "metrics.json").write_text(json.dumps(metrics))
    with (path / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (path / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {k: f"{factor * float(v):.6g}" if "loss" in k else v for k, v in row.items()}
            for row in rows
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", type=Path, help="a run that is there, instead of training one")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = folder / "run"
        if options.run:
            shutil.copytree(options.run, run, ignore=shutil.ignore_patterns("checkpoints"))
        else:
            typed(folder, str(ROOT / "train.py"), *RUN, f"out={run}")
        jobs = [(rate, seed) for rate in RATES for seed in SEEDS]
        for number, (rate, seed) in enumerate(jobs):
            words = f"optimizer.lr={rate},seed={seed}"
            job(run, folder / "sweep" / f"{number}-{words}", rate, seed)
        rows = Rows(["report of", "seconds", "CPU s", "MB"], [16, 7, 5, 4])
        for what, path in (("a run", run), (f"sweep of {len(jobs)} runs", folder / "sweep")):
            seconds, worked = [], []
            for _ in range(options.rounds):
                start, before = time.perf_counter(), cpu()
                typed(folder, "-m", "diffstn.cli", "report", str(path))
                seconds.append(time.perf_counter() - start)
                worked.append(cpu() - before)
            size = (path / "report.html").stat().st_size / 1e6
            rows.add(what, f"{max(seconds):.2f}", f"{max(worked):.2f}", f"{size:.2f}")


if __name__ == "__main__":
    main()
