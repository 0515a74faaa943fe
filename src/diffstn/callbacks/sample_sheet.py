"""Samples of every epoch on one sheet: how a generative model learns."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from diffstn.figures.evenly import evenly
from diffstn.figures.panels import panel_page
from diffstn.figures.step_images import step_images


class SampleSheet(pl.Callback):
    """After each validation, sample from the same noise; at the end, all samples on one page.

    The weights are those of validation, the moving average if there is one. The samples are kept
    in the checkpoint, so that a resumed run's sheet is complete. Of more than 24 the sheet shows
    24, evenly spaced, the last one always; they also lie one by one in `steps/samples/` beside it.

    Args:
        path: of the page, rewritten after every validation.
        shape: of the noise.
        image: what the model makes of it → an image (C, H, W) in [0, 1].
        label: classes to sample, for a model that hears them.
        seed: of the noise.
        precision: the context to sample in, that of the final figures.
    """

    panel = "samples"

    def __init__(
        self,
        path: Path,
        shape: tuple[int, ...],
        image: Callable[[Tensor], Tensor],
        label: Tensor | None = None,
        seed: int = 0,
        precision: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        self.precision = precision
        self.path, self.shape, self.seed = path, shape, seed
        self.folder = path.parent / "steps" / "samples"
        self.image, self.label = image, label
        self.steps: list[int] = []
        self.sheets: list[Tensor] = []

    @torch.inference_mode()
    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero or trainer.sanity_checking:
            return
        generator = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(self.shape, generator=generator)
        with self.precision():
            made = pl_module.generate(noise, self.label, generator)  # type: ignore[operator]
        self.steps.append(trainer.global_step)
        self.sheets.append(self.image(made.float().cpu()))
        self.write()

    @property
    def newest(self) -> Path | None:
        """What dashboards show after a validation."""
        return self.folder / f"{self.steps[-1]:08d}.png" if self.steps else None

    def write(self) -> Path:
        """Write the page, and the images on it one by one."""
        chosen = evenly(len(self.sheets))
        step_images({self.steps[i]: self.sheets[i] for i in chosen}, self.folder)
        return panel_page(
            torch.stack([self.sheets[i] for i in chosen]),
            self.path,
            [f"step {self.steps[i]}" for i in chosen],
        )

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "sheets": self.sheets}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.steps = state_dict["steps"]
        named = "sheets" if "sheets" in state_dict else "drawings"  # as older runs say
        self.sheets = state_dict[named]
