"""Kill a small run of every family at random moments, resume it, and compare it to the bit.

A chain begins a run in a process of its own, kills it (SIGKILL) at a moment between its start and
its end, half of the time kills the resumed run as well, and then lets it finish. It is exact if the
weights, their average and the state of the optimiser in `last.ckpt`, the weights in `best.ckpt`,
`metrics.csv` and `metrics.json` are those of a run that nobody killed, times aside.

    python benchmarks/survive.py --kills 100

Runs on a CPU with one thread: the processes are forked, which an accelerator does not allow.
"""

import argparse
import contextlib
import csv
import json
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rows import Rows

from diffstn.cli.conf import composing, groups, training_config
from diffstn.cli.train import train_command
from diffstn.runs.train import train as _train  # noqa: F401  # the processes know it already
from diffstn.store.run_folder import RunFolder
from diffstn.words import closest

SMALL = {
    "data.limit_train": 96,
    "data.limit_val": 40,
    "data.limit_test": 40,
    "data.train": 96,
    "data.val": 32,
    "data.test": 64,
    "data.points": 16,
    "data.batch_size": 16,
    "network.width": 8,
    "network.blocks": 1,
    "network.head_features": 8,
    "generator.width": 8,
    "discriminator.width": 8,
    "schedule.steps": 20,
    "sampler.steps": 2,
    "task.track": 0,
    "task.samples": 32,
    "task.per_class": 1,
    "epochs": 2,
    "trainer.accelerator": "cpu",
    "trainer.precision": "fp32",
}
"""Settings that make a run short, where a configuration has them."""
IMAGES = {
    "task.samples": 140,
    "data.limit_test": 300,
    "data.limit_train": 300,
    "data.batch_size": 50,
}
"""A Fréchet distance in 128 dimensions asks for more than 128 images."""
TIMES = re.compile(r"second|images/s|time")


def has(config: Any, key: str) -> bool:
    """Whether a configuration has a dotted key."""
    for part in key.split("."):
        if not isinstance(config, dict) or part not in config:
            return False
        config = config[part]
    return True


def words_of(model: str) -> list[str]:
    """The command that trains a family for seconds; none, if it has nothing to train."""
    config = training_config([f"model={model}"])
    if not has(config, "data") or not has(config, "optimizer"):
        return []
    short = {**SMALL, **(IMAGES if has(config, "task.track") else {})}
    words = [f"{key}={value}" for key, value in short.items() if has(config, key)]
    if config["choices"].get("encoder") == "polar":
        words.append("encoder=pool")
    return [f"model={model}", *words]


def started(words: Sequence[str], log: Path) -> Any:
    """The command in a process of its own, what it says in a file."""

    def work() -> None:
        with log.open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.exit(train_command(list(words)))

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def finished(words: Sequence[str], log: Path) -> float:
    """Run the command to its end; the seconds that it took.

    Raises:
        RuntimeError: it failed.
    """
    start = time.perf_counter()
    process = started(words, log)
    process.join()
    if process.exitcode:
        raise RuntimeError(f"exit code {process.exitcode}: {log.read_text()[-2000:]}")
    return time.perf_counter() - start


def timeless(content: Any) -> Any:
    """Without what the clock says."""
    if isinstance(content, dict):
        return {k: timeless(v) for k, v in content.items() if not TIMES.search(str(k))}
    return content


def state(folder: Path) -> dict[str, Any]:
    """All that must be the same of two runs."""
    kept: dict[str, Any] = {}
    for name, keys in {
        "last": ("state_dict", "ema_state_dict", "optimizer_states"),
        "best": ("state_dict", "ema_state_dict"),
    }.items():
        path = folder / "checkpoints" / f"{name}.ckpt"
        content = torch.load(path, weights_only=True) if path.exists() else {}
        kept |= {f"{name} {key}": content.get(key) for key in keys}
    with (folder / "metrics.csv").open(newline="") as file:
        kept["metrics.csv"] = [timeless(row) for row in csv.DictReader(file)]
    kept["metrics.json"] = timeless(json.loads((folder / "metrics.json").read_text()))
    return kept


def same(one: Any, other: Any) -> bool:
    """Equality to the bit of nested containers."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def step(run: Path) -> int:
    """The step of the last checkpoint; 0 before there is one."""
    for name in ("last.ckpt", "last.ckpt.before"):
        with contextlib.suppress(OSError, RuntimeError):
            path = run / "checkpoints" / name
            return int(torch.load(path, map_location="cpu", weights_only=True)["global_step"])
    return 0


def chain(
    words: Sequence[str], run: Path, seconds: float, kills: int, log: Path
) -> tuple[int, list[str]]:
    """Begin, kill and resume; the kills that hit a living process, and what it was doing."""
    hits, doing, command = 0, [], [*words, f"out={run}"]
    for _ in range(kills):
        process = started(command, log)
        process.join(random.uniform(0.05, 1) * seconds)
        if process.exitcode is None:
            process.kill()
            hits += 1
            began = (run / "config.yaml").exists()
            evaluates = began and "trained in" in (run / "train.log").read_text()
            phase = "evaluation" if evaluates else f"step {step(run)}" if began else "set-up"
            doing.append(phase)
        process.join()
        if RunFolder(run).config.exists():
            command = [f"out={run}", "resume=true"]
    finished(command, log)
    return hits, doing


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10, help="of all families together")
    parser.add_argument("--minutes", type=float, default=0.0, help="between two checkpoints")
    parser.add_argument("--models", nargs="*", help="some families only")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    sys.argv = sys.argv[:1]
    torch.set_num_threads(1)
    random.seed(options.seed)
    with composing() as loader:
        families = groups(loader)["model"]
    for name in options.models or ():
        if name not in families:
            parser.error(f"no model '{name}'; {closest(name, families)}")
    commands = {name: words_of(name) for name in options.models or families}
    commands = {name: words for name, words in commands.items() if words}
    header = ["family", "kills", "set-up", "training", "evaluation", "chains", "exact"]
    rows = Rows(header, [max(map(len, commands))])
    totals, wrong = [0] * 6, []
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        os.environ["XDG_CACHE_HOME"] = place
        for i, (name, words) in enumerate(commands.items()):
            due = options.kills // len(commands) + (i < options.kills % len(commands))
            words = [*words, f"checkpoint.minutes={options.minutes}"]
            log, straight = Path(f"{name}.txt"), Path(name, "straight")
            if not due:
                continue
            seconds = finished([*words, f"out={straight}"], log)
            wanted, numbers = state(straight), [0] * 6
            while numbers[0] < due:
                run = Path(name, str(numbers[4]))
                hits, doing = chain(words, run, seconds, min(random.choice((1, 2)), due), log)
                numbers[0] += hits
                numbers[1] += doing.count("set-up")
                numbers[2] += sum(one.startswith("step") for one in doing)
                numbers[3] += doing.count("evaluation")
                if hits:
                    numbers[4] += 1
                    exact = same(state(run), wanted)
                    numbers[5] += exact
                    wrong += [] if exact else [f"{run}: killed at {', '.join(doing)}"]
            rows.add(name, *numbers)
            totals = [a + b for a, b in zip(totals, numbers, strict=True)]
    rows.add("all", *totals)
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
