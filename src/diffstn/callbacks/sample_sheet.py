"""Samples of every epoch on one sheet: how a generative model learns."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from diffstn.figures.cloud_pictures import cloud_pictures
from diffstn.figures.panels import panel_page

MOST = 24


class SampleSheet(pl.Callback):
    """After each validation, draw one cloud from the same noise; at the end, all on one page.

    The weights are those of validation, the moving average if there is one. The clouds are kept in
    the checkpoint, so that a resumed run's sheet is complete. Of more than 24 the sheet shows 24,
    evenly spaced, the last one always.

    Args:
        path: of the page, rewritten after every epoch.
        shape: of a sample, (1, N, D) for a model of clouds, (N, D) for one of points.
        seed: of the noise.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], seed: int = 0) -> None:
        self.path, self.shape, self.seed = path, shape, seed
        self.steps: list[int] = []
        self.clouds: list[Tensor] = []

    @torch.inference_mode()
    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero or trainer.sanity_checking:
            return
        generator = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(self.shape, generator=generator)
        drawn = pl_module.sample(noise, generator=generator)  # type: ignore[operator]
        self.steps.append(trainer.global_step)
        self.clouds.append(drawn.float().cpu().reshape(-1, drawn.shape[-1]))
        self.draw()

    def draw(self) -> Path:
        """Write the page."""
        count = len(self.clouds)
        chosen = torch.linspace(0, count - 1, min(count, MOST)).round().long().tolist()
        return panel_page(
            cloud_pictures(torch.stack([self.clouds[i] for i in chosen]), side=150),
            self.path,
            [f"step {self.steps[i]}" for i in chosen],
        )

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "clouds": self.clouds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.steps, self.clouds = state_dict["steps"], state_dict["clouds"]
