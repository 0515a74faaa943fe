"""Do two processes learn and measure what one does?

Every family trains for an epoch: in one process with batches of 16, and in two (gloo) with batches
of 8 each. A row says by how much a weight differs at most, whether the rows of `metrics.csv` agree
to 1e-3, and whether one and two processes that evaluate the same run write the same numbers.

Plain gradient descent, without batch norms and drop-out, which are each process's own: other
optimisers blow differences in the last digit up wherever a gradient is zero.

    python benchmarks/processes.py

Runs on a CPU with one thread a process: the processes are forked.
"""

import argparse
import csv
import json
import math
import multiprocessing
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rows import Rows
from survive import words_of

from diffstn.cli.conf import composing, groups, training_config
from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.runs import evaluate, train  # noqa: F401  # the processes know them already

RATES = {"latent_diff_in_stn": 1e-4, "ic_stn": 1e-5}
"""Where 0.01 is too much for plain gradient descent."""


def plain_words(model: str) -> list[str]:
    """The command that trains a family for an epoch without batch norms and drop-out."""
    left = ("data.batch_size", "epochs", "encoder")
    words = [word for word in words_of(model) if not word.startswith(left)]
    config = training_config(words)
    words += ["epochs=1", "optimizer=sgd", f"optimizer.lr={RATES.get(model, 0.01)}"]
    words += ["encoder=fc"] if "encoder" in config else []
    words += ["network.dropout=0"] if "dropout" in (config.get("network") or {}) else []
    joint = (config.get("classifier") or {}).get("encoder") or {}
    return [*words, *(["classifier.encoder.dropout=0"] if "dropout" in joint else [])]


def in_processes(count: int, work: Callable[[], int], log: Path) -> None:
    """Do `work` in so many processes together.

    Raises:
        RuntimeError: it failed.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])

    def one(rank: int) -> None:
        with log.open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        if count > 1:
            os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "GROUP_RANK": "0"}
            os.environ |= {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
            os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "TORCHELASTIC_RUN_ID": "-"}
        sys.exit(work())

    fork = multiprocessing.get_context("fork")
    started = [fork.Process(target=one, args=(rank,)) for rank in range(count)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    if any(process.exitcode for process in started):
        raise RuntimeError(log.read_text()[-3000:])


def numbers(content: Any) -> Any:
    """What an evaluation wrote, but for times and the words that asked for it."""
    if not isinstance(content, dict):
        return content
    left = ("overrides",)
    return {k: numbers(v) for k, v in content.items() if "second" not in k and k not in left}


def compared(model: str, folder: Path) -> tuple[str, bool, bool]:
    """A row for a family."""
    os.chdir(folder)
    words, log = plain_words(model), folder / "said.txt"
    alone = [*words, "data.batch_size=16", "data.eval_batch_size=20", "out=one"]
    both = [*words, "data.batch_size=8", "data.eval_batch_size=10", "out=two"]
    both += ["accelerator=ddp", "trainer.accelerator=cpu", "trainer.devices=2"]
    in_processes(1, lambda: train_command(alone), log)
    in_processes(2, lambda: train_command(both), log)
    for count, out in ((1, "by_one"), (2, "by_two")):
        evaluation = partial(run_command, "evaluate", ["run=two", f"out={out}"])
        in_processes(count, evaluation, log)
    states = [
        torch.load(folder / name / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for name in ("one", "two")
    ]
    apart = max(
        float((value.double() - states[1][name].double()).abs().max())
        for name, value in states[0].items()
        if value.is_floating_point()
    )
    rows = []
    for name in ("one", "two"):
        with (folder / name / "metrics.csv").open(newline="") as file:
            [row] = csv.DictReader(file)
            rows.append({k: float(v) for k, v in row.items() if k != "seconds"})
    same = all(math.isclose(v, rows[1][k], rel_tol=1e-3, abs_tol=1e-5) for k, v in rows[0].items())
    found = [
        numbers(json.loads(next((folder / out).glob("*.json")).read_text()))
        for out in ("by_one", "by_two")
    ]
    return f"{apart:.0e}", same, found[0] == found[1]


def main(arguments: Sequence[str] | None = None) -> None:
    torch.set_num_threads(1)
    with composing() as loader:
        known = [name for name in groups(loader)["model"] if words_of(name)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", default=known, choices=known)
    asked = parser.parse_args(arguments)
    header = ["family", "weights apart", "curves agree", "evaluations the same"]
    table = Rows(header, [max(map(len, known))])
    for model in asked.models:
        with tempfile.TemporaryDirectory() as folder:
            apart, curves, evaluations = compared(model, Path(folder))
            table.add(model, apart, *("yes" if one else "NO" for one in (curves, evaluations)))


if __name__ == "__main__":
    main()
