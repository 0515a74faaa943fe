"""How a model turns the same few images upright, validation by validation."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from diffstn.callbacks.steps import steps

MOST = 24


class PoseSheet(pl.Callback):
    """After each validation, a figure of a few images, `<step>.png` in a folder.

    The weights are those of validation, the moving average if there is one. The first process
    alone draws, and leaves the generators as it found them. Of many validations the folder keeps up
    to 24, evenly spaced, and the last.

    Args:
        folder: of the figures.
        draw: called with the model and a path, writes the figure.
        precision: the context to draw in, that of the final figures.
    """

    panel = "poses"

    def __init__(
        self,
        folder: Path,
        draw: Callable[[Any, Path], Path],
        precision: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        self.folder, self.draw, self.precision = folder, draw, precision
        self.steps: list[int] = []

    @property
    def newest(self) -> Path | None:
        """The last figure."""
        return self.path(self.steps[-1]) if self.steps else None

    def path(self, step: int) -> Path:
        """Of the figure at a step."""
        return self.folder / f"{step:08d}.png"

    @torch.inference_mode()
    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero or trainer.sanity_checking:
            return
        device = pl_module.device
        devices = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices), self.precision():
            self.draw(pl_module, self.path(steps(trainer)))
        self.steps.append(steps(trainer))
        kept = set(evenly(self.steps))
        for step in self.steps:
            if step not in kept:
                self.path(step).unlink(missing_ok=True)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.steps = list(state_dict["steps"])


def evenly(steps: list[int]) -> list[int]:
    """Every n-th of the steps and the last, n the smallest power of 2 that leaves up to 24."""
    stride = 1
    while len(steps[::stride]) >= MOST:
        stride *= 2
    return [*steps[::stride], steps[-1]]
