"""Sweeps on every engine: complete, summarised, and carried on with after a kill.

A sweep of tiny runs is started, killed with all its processes (SIGKILL) once the first of its jobs
is done, and resumed. Its summary must then count every job as done, and no job that was done before
may have trained again.

    python benchmarks/sweeps.py

Needs: pip install 'diffstn[sweep]'
"""

import argparse
import contextlib
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rows import Rows

from diffstn.store.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
TINY = [
    *("model=stn", "encoder=pool", "data.limit_train=64", "data.limit_val=40"),
    *("data.limit_test=40", "data.batch_size=16", "task.per_class=1", "epochs=2"),
    *("trainer.accelerator=cpu", "report=false"),
]
ENGINES = {
    "basic": ["seed=1,2,3"],
    "joblib, 2 at a time": [
        *("seed=1,2,3,4", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
    ],
    "submitit, local": ["seed=1,2", "hydra/launcher=submitit_local"],
    "optuna, 12 trials": [
        *("hydra/sweeper=optuna", "hydra.sweeper.n_trials=12", "hydra.sweeper.n_jobs=1"),
        *("hydra.sweeper.sampler.seed=1", "optimizer.lr=tag(log, interval(0.001, 0.1))"),
    ],
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", nargs="*", default=list(ENGINES), choices=list(ENGINES))
    asked = parser.parse_args(arguments)
    table = Rows(["engine", "jobs", "done at the kill", "done", "trained again", "seconds"], [19])
    for name in asked.engines:
        with tempfile.TemporaryDirectory() as folder:
            table.add(name, *tried(ENGINES[name], Path(folder)))


def tried(words: Sequence[str], folder: Path) -> tuple[int, int, int, int, str]:
    """Jobs, of these done at the kill, done at last and trained twice; seconds of both sittings.

    Raises:
        RuntimeError: the sweep ended before it was killed, or failed.
    """
    sweep, began = folder / "sweep", time.monotonic()
    first = started([*TINY, *words, f"hydra.sweep.dir={sweep}"], folder)
    while not done(sweep):
        if first.poll() is not None:
            raise RuntimeError((folder / "said.txt").read_text())
        time.sleep(0.05)
    kill(sweep)
    first.wait()
    before = done(sweep)
    again = started([f"hydra.sweep.dir={sweep}", "resume=true"], folder)
    if again.wait():
        raise RuntimeError((folder / "said.txt").read_text())
    after = done(sweep)
    with (sweep / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    twice = [job for job in before if before[job] != after[job]]
    finished = sum(row["state"] == "done" for row in rows)
    return len(rows), len(before), finished, len(twice), f"{time.monotonic() - began:.0f}"


def started(words: Sequence[str], folder: Path) -> subprocess.Popen:
    """The sweep in a process of its own, what it says in a file."""
    with (folder / "said.txt").open("a") as said:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), "-m", *words],
            cwd=folder,
            stdout=said,
            stderr=said,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )


def done(sweep: Path) -> dict[str, int]:
    """Jobs that are done, and when their last checkpoint was written."""
    found = {}
    for status in sweep.glob("*/status.json"):
        with contextlib.suppress(OSError):
            run = RunFolder(status.parent)
            if run.read_json("status").get("state") == "done":
                found[run.path.name] = (run.checkpoints / "last.ckpt").stat().st_mtime_ns
    return found


def kill(sweep: Path) -> None:
    """Kill every process that works on the sweep, or was started by one that does."""
    doomed, parents = set(), {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            pid = int(process.name)
            parents[pid] = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if str(sweep).encode() in (process / "cmdline").read_bytes():
                doomed.add(pid)
    for _ in parents:
        more = {pid for pid, parent in parents.items() if parent in doomed} - doomed
        if not more:
            break
        doomed |= more
    for pid in doomed - {os.getpid()}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
