"""`last.ckpt`: the state from which a training goes on as if it had never stopped."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor
from torchmetrics import Metric

from diffstn.callbacks.generators import generators, restore_generators
from diffstn.store.stopping import Stopping
from diffstn.store.whole_files import FIRST

KEY = "diffstn"
SECONDS_BETWEEN_AGREEMENTS = 0.5
NOTHING, WRITE, STOP = 0, 1, 2
"""What is due after a step; more than STOP: the signal that asked to."""


class LastCheckpoint(Checkpoint):
    r"""Write `last.ckpt` at every epoch's end, every few minutes, and before a training stops.

    Beside what Lightning keeps (weights, optimiser, schedule, loops, callbacks), every checkpoint
    of the run then holds, of every rank, the generators' states, the sums of what was logged in the
    open epoch, how many of its batches are done, what was last validated, and whether a callback
    has asked to stop. A training that is resumed goes on with the next batch of the same order and
    ends to the bit where it would have ended.

    A checkpoint within an epoch is written after an optimiser step, so that no gradients are half
    accumulated, and not where a validation follows: the next step, or the end of the epoch, is.

    Several processes agree on when to write, about every half second, not at every step.

    Args:
        path: of `last.ckpt`.
        minutes: between two checkpoints within an epoch; 0 writes after every step.
        stopping: who may ask to stop.
    """

    def __init__(self, path: Path, minutes: float, stopping: Stopping) -> None:
        self.path, self.minutes, self.stopping = path, minutes, stopping
        self.written = self.agreed = 0.0
        self.next_agreement = self.step = 0
        self.found: Mapping[str, Any] = {}
        self.logged: dict[str, Any] = {}

    # what a checkpoint holds

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        epoch = trainer.fit_loop.epoch_loop
        mine = {
            "generators": generators(trainer.strategy.root_device),
            "logged": sums(epoch._results),
            "metrics": metric_states(pl_module),
        }
        ranks: list[Any] = [mine]
        if trainer.world_size > 1:
            ranks = [None] * trainer.world_size
            torch.distributed.all_gather_object(ranks, mine)
        batches: Any = epoch.batch_progress.current
        checkpoint[KEY] = {
            "batches": batches.processed,
            "ranks": ranks,
            "validated": {
                name: value.cpu()
                for name, value in trainer._logger_connector._callback_metrics.items()
            },
            "stopped": limits(trainer) if trainer.should_stop else None,
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self.found = checkpoint.get(KEY, {})
        if self.found.get("stopped") == limits(trainer):
            trainer.should_stop = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.stopping.waits(True)
        self.written = self.agreed = time.monotonic()
        self.step = trainer.global_step
        if self.found:
            trainer._logger_connector._callback_metrics.update(self.found.get("validated", {}))
            if trainer.fit_loop.restarted_mid_epoch:
                self.go_on(trainer, pl_module)
        self.found = {}

    def go_on(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stand where the checkpoint was written: within an epoch."""
        skip(trainer, self.found["batches"])
        ranks = self.found["ranks"]
        if len(ranks) == trainer.world_size:
            mine = ranks[trainer.global_rank]
            self.logged = dict(mine["logged"])
            restore_metrics(pl_module, mine["metrics"])
            restore_generators(mine["generators"], trainer.strategy.root_device)

    # when it is written

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any
    ) -> None:
        self.logged = add_sums(trainer.fit_loop.epoch_loop._results, self.logged)
        stepped, self.step = self.step != trainer.global_step, trainer.global_step
        if not stepped or validation_follows(trainer):
            return
        asked = self.asked(trainer)
        if asked >= WRITE:
            self.write(trainer)
        if asked >= STOP:
            self.stopping.stop(asked - STOP)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.logged = {}  # what was not logged again in its epoch belongs to no other
        self.write(trainer)
        asked = self.agree(trainer, self.stop_asked)
        if asked >= STOP:
            self.stopping.stop(asked - STOP)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.stopping.waits(False)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self.stopping.waits(False)

    def write(self, trainer: pl.Trainer) -> None:
        """All ranks together."""
        trainer.save_checkpoint(self.path)
        if trainer.is_global_zero:
            self.path.with_name(FIRST).unlink(missing_ok=True)
        self.written = time.monotonic()

    @property
    def stop_asked(self) -> int:
        """STOP with the signal's number, if this process was asked to."""
        return STOP + (self.stopping.number or 0) if self.stopping.asked else NOTHING

    def asked(self, trainer: pl.Trainer) -> int:
        """What is due after this step, the same on every rank."""
        now = time.monotonic()
        asked = WRITE if now - self.written >= 60 * self.minutes else NOTHING
        asked = self.stop_asked or asked
        if trainer.world_size == 1:
            return asked
        if trainer.global_step < self.next_agreement:
            return NOTHING
        return self.agree(trainer, asked)

    def agree(self, trainer: pl.Trainer, asked: int) -> int:
        """The most that any rank asks for; and the step after which to agree again."""
        if trainer.world_size == 1:
            return asked
        now, step = time.monotonic(), trainer.global_step
        steps = max(1, step - self.next_agreement + 1)
        pace = steps / max(now - self.agreed, 1e-3)
        ours = torch.tensor([asked, int(pace * SECONDS_BETWEEN_AGREEMENTS)])
        ours = ours.to(trainer.strategy.root_device)
        torch.distributed.all_reduce(ours, torch.distributed.ReduceOp.MAX)
        most, ahead = ours.tolist()
        self.agreed, self.next_agreement = now, step + max(1, min(ahead, 1000))
        return most


def limits(trainer: pl.Trainer) -> list[int | None]:
    """How long a training may be: one that stopped before goes on if it is given more."""
    return [trainer.max_epochs, trainer.max_steps]


def validation_follows(trainer: pl.Trainer) -> bool:
    """Whether Lightning validates, or ends the epoch, before the next batch."""
    epoch = trainer.fit_loop.epoch_loop
    fetcher = trainer.fit_loop._data_fetcher
    return epoch._num_ready_batches_reached() or epoch._should_check_val_fx(fetcher)  # type: ignore[arg-type]


def skip(trainer: pl.Trainer, batches: int) -> None:
    """Leave out what this epoch has seen: a loader's own `skip`, or by fetching it once more."""
    combined, fetcher = trainer.fit_loop._combined_loader, trainer.fit_loop._data_fetcher
    assert combined is not None
    assert fetcher is not None
    if all(hasattr(loader, "skip") for loader in combined.flattened):
        for loader in combined.flattened:
            loader.skip(batches)
        return
    for loader in combined.flattened:
        set_epoch = getattr(getattr(loader, "sampler", None), "set_epoch", None)
        if set_epoch is not None:
            set_epoch(trainer.current_epoch)
    for _ in range(batches):
        next(fetcher)
    fetcher.fetched = 0  # Lightning adds those of the checkpoint


def sums(results: Any) -> dict[str, dict[str, Tensor]]:
    """What an open epoch has logged so far: for each name the running sum and its weight."""
    return {
        key: {
            name: getattr(one, name).detach().cpu().clone()
            for name in ("value", "cumulated_batch_size")
            if hasattr(one, name)
        }
        for key, one in results.items()
        if one.is_tensor and not one.has_reset and one.meta.on_epoch
    }


def add_sums(results: Any, logged: dict[str, Any]) -> dict[str, Any]:
    """Add sums of before to those that have begun again; return the others."""
    if not logged:
        return logged
    left = {}
    for key, before in logged.items():
        if key not in results:
            left[key] = before
            continue
        one = results[key]
        value = before["value"].to(one.value.device)
        if one.meta.is_max_reduction or one.meta.is_min_reduction:
            one.value = one.meta.reduce_fx(value, one.value)
        else:
            one.value = value + one.value
        if "cumulated_batch_size" in before:
            one.cumulated_batch_size = before["cumulated_batch_size"].to(value.device) + (
                one.cumulated_batch_size
            )
    return left


def metric_states(module: pl.LightningModule) -> dict[str, dict[str, Any]]:
    """What torchmetrics within the model have counted in the open epoch."""
    return {
        name: {"count": one._update_count, **{k: getattr(one, k) for k in one._defaults}}
        for name, one in module.named_modules()
        if isinstance(one, Metric)
    }


def restore_metrics(module: pl.LightningModule, states: Mapping[str, Mapping[str, Any]]) -> None:
    """Let the model's torchmetrics go on counting."""
    for name, one in module.named_modules():
        if isinstance(one, Metric) and name in states:
            one._update_count = states[name]["count"]
            for key in one._defaults:
                value = states[name][key]
                moved = value.to(one.device) if isinstance(value, Tensor) else value
                setattr(one, key, moved)
