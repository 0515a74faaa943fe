"""What curves by the step cost: a training step with a dashboard and without, in one training.

Within one training `StepCurves` is on for one stretch of steps and off for the next; the first of
the two alternates from pair to pair. A stretch has as many steps as there are between two rows, and
a row within, so its mean holds a row's whole cost. The difference is the median over pairs, with
the error of the median. On a busy machine that error is larger than what is sought; so the time
spent in the curves' own hooks, what their loggers do included, is taken as well: mean over all
steps with curves, with a row every so many. On an accelerator it holds the wait for the step.

    python benchmarks/step_curves.py [--pairs 40] [--every 50] [--model diff_in_stn]

Runs on what `accelerator=auto` chooses; W&B offline. Further words are overrides.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from rows import Rows

from diffstn.callbacks.dashboards import StepCurves, dashboards
from diffstn.cli.conf import training_config
from diffstn.runs.train import check, seeded
from diffstn.store.run_folder import RunFolder

BOARDS: dict[str, list[str]] = {
    "tensorboard": ["logger=tensorboard"],
    "wandb": ["logger=wandb", "logger.wandb.offline=true"],
    "mlflow": ["logger=mlflow"],
}


class Alternating(pl.Callback):
    """Turns curves on and off, stretch by stretch, and keeps the seconds of each.

    Args:
        curves: what costs.
        every: steps of a stretch.
        pairs: of stretches.
    """

    def __init__(self, curves: StepCurves, every: int, pairs: int) -> None:
        self.curves, self.every, self.pairs = curves, every, pairs
        self.seconds: dict[bool, list[float]] = {True: [], False: []}
        self.start = 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        step = trainer.global_step
        if step % self.every:
            return
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now, stretch = time.perf_counter(), step // self.every
        if stretch > 2:  # the first two warm up
            self.seconds[self.curves.every > 0].append((now - self.start) / self.every)
        pair, second = divmod(stretch, 2)
        on = (pair + second) % 2 == 0
        self.curves.every = self.every if on else 0
        self.curves.on_restart()  # type: ignore[attr-defined]
        if min(map(len, self.seconds.values())) >= self.pairs:
            trainer.should_stop = True
        self.start = time.perf_counter()


class Curves(StepCurves):
    """Those that are measured: a row in the middle of a stretch that begins anywhere."""

    spent, steps = 0.0, 0

    def on_restart(self) -> None:
        self.sum, self.batches, self.items = None, 0, 0
        self.rates, self.squares, self.since = {}, {}, time.perf_counter()

    def due(self, before: int, now: int) -> bool:
        return self.every > 0 and now % self.every == self.every // 2

    def on_before_optimizer_step(self, *args: Any) -> None:
        start = time.perf_counter()
        super().on_before_optimizer_step(*args)
        self.spent += (time.perf_counter() - start) * (self.every > 0)

    def on_train_batch_end(self, *args: Any) -> None:
        start = time.perf_counter()
        super().on_train_batch_end(*args)
        self.spent += (time.perf_counter() - start) * (self.every > 0)
        self.steps += self.every > 0


def measured(
    words: Sequence[str], every: int, pairs: int
) -> tuple[list[float], list[float], float]:
    """Seconds of a step with rows and without, stretch by stretch, and those in the hooks."""
    config = training_config([*words, "task.watch=0"])
    hardware = check(config)
    built = seeded(config)
    built.data.setup()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        with dashboards(config["logger"], RunFolder(place), config) as boards:
            curves = Curves()
            turns = Alternating(curves, every, pairs)
            for board in boards:
                board.trainer = trainer = pl.Trainer(
                    logger=[board.logger],
                    callbacks=[curves, turns],
                    accelerator=hardware.accelerator,
                    devices=1,
                    precision=hardware.precision,  # type: ignore[arg-type]
                    max_epochs=1000,
                    limit_val_batches=0,
                    enable_progress_bar=False,
                    enable_checkpointing=False,
                    enable_model_summary=False,
                    log_every_n_steps=every,
                )
                trainer.fit(built.model, datamodule=built.data)
        os.chdir("/")
    return turns.seconds[True], turns.seconds[False], curves.spent / curves.steps


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=40, help="of stretches")
    parser.add_argument("--every", type=int, default=50, help="steps between two rows")
    parser.add_argument("--model", default="diff_in_stn")
    parser.add_argument("--boards", default=",".join(BOARDS))
    parser.add_argument("words", nargs="*", help="further overrides")
    options = parser.parse_args(arguments)
    os.environ.setdefault("WANDB_SILENT", "true")
    rows = Rows(["dashboard", "ms a step", "difference, ms", "in hooks, ms", "%"], [11, 9, 16])
    for name in options.boards.split(","):
        words = [f"model={options.model}", *BOARDS[name], *options.words]
        on, off, hooks = measured(words, options.every, options.pairs)
        step = 1e3 * statistics.median(off)
        added = [1e3 * (a - b) for a, b in zip(on, off, strict=False)]
        spread = 1.2533 * statistics.stdev(added) / len(added) ** 0.5
        cost = statistics.median(added)
        numbers = (f"{step:.2f}", f"{cost:.3f} ± {spread:.3f}", f"{1e3 * hooks:.4f}")
        rows.add(name, *numbers, f"{1e5 * hooks / step:.3f}")


if __name__ == "__main__":
    main()
