"""Figures on dashboards while a model learns."""

from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl

from diffstn.callbacks.dashboard import Dashboard
from diffstn.callbacks.steps import steps


class Panels(pl.Callback):
    """After each validation, the newest figure of every callback that draws one.

    Such a callback has `panel`, a name, and `newest`, the path of its last figure or None.

    Args:
        boards: where they are shown.
        watching: callbacks, of which some draw.
    """

    def __init__(self, boards: Sequence[Dashboard], watching: Sequence[pl.Callback]) -> None:
        self.boards = boards
        self.drawing = [one for one in watching if hasattr(one, "newest")]

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        for board in self.boards:
            board.trainer = trainer

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        for one in self.drawing:
            path: Path | None = one.newest  # type: ignore[attr-defined]
            if path is not None:
                for board in self.boards:
                    board.figure(f"val/{one.panel}", path, steps(trainer))  # type: ignore[attr-defined]
