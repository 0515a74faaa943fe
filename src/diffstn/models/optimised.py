"""What every model does to get an optimiser."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from diffstn.errors import UserError
from diffstn.models.fit_to_data import fit_parts

OptimizerFactory = Callable[[Iterable[Mapping[str, Any]]], Optimizer]
SHARES = ("momentum", "betas", "alpha", "rho")
"""What optimisers call the weight of the past in a running mean."""
SCHEDULE_SHAPE = ("total_steps", "_schedule_phases")
LRScheduleFactory = Callable[[Optimizer, int], LRScheduler]


class OptimisedModule(pl.LightningModule):
    """A LightningModule that builds its optimiser and learning-rate schedule from two factories.

    Weight decay acts on matrices and kernels, not on biases and norms (parameters with one
    dimension), the usual practice since "Decoupled Weight Decay" (Loshchilov and Hutter, 2019).

    Attributes:
        monitor: the logged number that tells the best checkpoint, and whether "max" or "min" is
            best.

    Args:
        optimizer: parameter groups → optimiser.
        lr_scheduler: (optimiser, total steps) → scheduler, stepped after every batch.
    """

    monitor = ("val/accuracy", "max")

    def __init__(self, optimizer: OptimizerFactory, lr_scheduler: LRScheduleFactory) -> None:
        super().__init__()
        self.optimizer_factory = optimizer
        self.lr_scheduler_factory = lr_scheduler

    def check_optimisation(self, data: Any = None) -> None:
        """Refuse settings that the optimiser or its schedule do not take, and batches too small.

        Args:
            data: a data module; None: not known.

        Raises:
            UserError: one line, with the remedy or what the optimiser says.
        """
        norms = (m for m in self.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))
        learns = any(p.requires_grad for norm in norms for p in norm.parameters())
        if learns and getattr(data, "batch_size", None) == 1:
            raise UserError(
                f"data.batch_size=1: {type(self).__name__} has batch norms, which need 2 or more"
            )
        try:
            made = self.optimizer_factory(grouped([nn.Parameter(torch.zeros(2, 2))]))
            self.lr_scheduler_factory(made, 10)
            check_hyperparameters(made)
        except (ValueError, TypeError) as error:
            raise UserError(f"optimizer: {' '.join(str(error).split())}") from error

    def log(self, name: str, value: Any, *arguments: Any, **options: Any) -> None:
        """As Lightning's, but several processes log the mean over all of them."""
        super().log(name, value, *arguments, **{"sync_dist": True, **options})

    def log_dict(self, dictionary: Any, *arguments: Any, **options: Any) -> None:
        super().log_dict(dictionary, *arguments, **{"sync_dist": True, **options})

    def setup(self, stage: str) -> None:
        """Before a training, fit to the data what has to be."""
        if stage == "fit":
            fit_parts(self, self.trainer.datamodule)  # type: ignore[attr-defined]

    def configure_optimizers(self) -> Any:
        optimizer = self.optimizer_factory(grouped(p for p in self.parameters() if p.requires_grad))
        total = int(self.trainer.estimated_stepping_batches)
        scheduler = self.lr_scheduler_factory(optimizer, total)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take of a learning-rate schedule its position, not its shape, which follows `epochs`.

        A run that is resumed with more epochs goes on along the longer schedule.
        """
        checkpoint["lr_schedulers"] = [
            {name: value for name, value in state.items() if name not in SCHEDULE_SHAPE}
            for state in checkpoint["lr_schedulers"]
        ]


def check_hyperparameters(optimizer: Optimizer) -> None:
    """Refuse what no optimiser learns with, which torch's own do not all look at.

    Raises:
        UserError: a number is not finite, or what weighs the past is no share of it.
    """
    for name, value in optimizer.param_groups[0].items():
        numbers = value if isinstance(value, list | tuple) and name != "params" else [value]
        for number in numbers:
            if not isinstance(number, float | int) or isinstance(number, bool):
                continue
            if not math.isfinite(number):
                raise UserError(f"optimizer.{name}={number}: must be a finite number")
            if name in SHARES and not 0 <= number < 1:
                raise UserError(f"optimizer.{name}={number}: must be at least 0 and below 1")


def grouped(parameters: Iterable[nn.Parameter]) -> list[dict[str, Any]]:
    """Parameters as groups: matrices and kernels, and without decay what has one dimension."""
    every = list(parameters)
    groups: list[dict[str, Any]] = [
        {"params": [p for p in every if p.ndim > 1]},
        {"params": [p for p in every if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
