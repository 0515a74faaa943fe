"""Curves by the step, for dashboards."""

import time
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from diffstn.callbacks.steps import steps


class StepCurves(pl.Callback):
    """Every `trainer.log_every_n_steps` steps of the optimiser, a row for every logger.

    | name | |
    |---|---|
    | `step/loss` | mean over the batches since the last row, of the first process |
    | `step/lr` | of each optimiser's first group; of further ones `step/lr_2`, … |
    | `step/grad_norm` | of the step's gradients before clipping, all parameters together |
    | `step/items_per_second` | of all processes, while they train |

    The loss is summed where it is; no other step waits for the device. Checkpoints hold the sum: a
    resumed run's rows are those of one that was never stopped, the speed aside. The first row is
    that of the first step, without a speed.
    """

    def __init__(self) -> None:
        self.every = self.step = self.batches = self.items = 0
        self.sum: Tensor | None = None
        self.rates: dict[int, float] = {}
        self.squares: dict[int, Tensor] = {}
        self.since: float | None = None
        self.paused = 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"sum": None if self.sum is None else self.sum.cpu(), "batches": self.batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.sum, self.batches = state_dict["sum"], state_dict["batches"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        logs = trainer.is_global_zero and trainer.loggers
        self.every = trainer.log_every_n_steps if logs else 0  # type: ignore[attr-defined]
        self.step, self.items = steps(trainer), 0
        self.since = time.perf_counter() if self.step else None

    def due(self, before: int, now: int) -> bool:
        """Whether there is a row after one of the steps from `before`, left out, to `now`."""
        return self.every > 0 and (before < 1 <= now or before // self.every < now // self.every)

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        if not self.due(steps(trainer), steps(trainer) + 1):
            return
        groups = optimizer.param_groups
        self.rates[id(optimizer)] = float(groups[0]["lr"])
        gradients = [p.grad for group in groups for p in group["params"] if p.grad is not None]
        if gradients and not any(hasattr(g, "full_tensor") for g in gradients):  # of this process
            norm = torch.nn.utils.get_total_norm(gradients).detach().float()
            self.squares[id(optimizer)] = norm.square()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if not self.every:
            return
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if isinstance(loss, Tensor):
            whole = loss.detach().float().mean() * trainer.accumulate_grad_batches
            self.sum = whole if self.sum is None else self.sum.to(whole.device) + whole
            self.batches += 1
        self.items += length(batch) * trainer.world_size
        before, self.step = self.step, steps(trainer)
        if self.due(before, self.step):
            self.tell(trainer)

    def tell(self, trainer: pl.Trainer) -> None:
        """Log a row, and begin the next."""
        row: dict[str, float] = {}
        if self.sum is not None:
            row["step/loss"] = float(self.sum) / self.batches
        names = ["step/lr", *(f"step/lr_{i}" for i in range(2, len(self.rates) + 1))]
        row |= dict(zip(names, self.rates.values(), strict=False))
        if self.squares:
            row["step/grad_norm"] = float(torch.stack([*self.squares.values()]).sum().sqrt())
        now = time.perf_counter()
        if self.since is not None and now > self.since:
            row["step/items_per_second"] = self.items / (now - self.since)
        for logger in trainer.loggers:
            logger.log_metrics(row, steps(trainer))
        self.sum, self.batches, self.items = None, 0, 0
        self.rates, self.squares, self.since = {}, {}, time.perf_counter()

    # the clock stands still while nothing trains

    def pause(self) -> None:
        self.paused = time.perf_counter()

    def go_on(self) -> None:
        if self.since is not None and self.paused:
            self.since += time.perf_counter() - self.paused
        self.paused = 0.0

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.pause()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.go_on()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.pause()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.go_on()


def length(batch: Any) -> int:
    """Items of a batch: the length of the first tensor in it."""
    tensors = (leaf for leaf in tree_leaves(batch) if isinstance(leaf, Tensor) and leaf.ndim)
    return next((len(tensor) for tensor in tensors), 0)
