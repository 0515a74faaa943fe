"""FID while a model of images learns."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytorch_lightning as pl
import torch
from torch import Tensor

from diffstn.metrics.images import Moments, RealStatistics, frechet_distance


class FIDTracker(pl.Callback):
    """After each validation, the Fréchet distance of a few samples, logged as `val/fid`.

    The weights are those of validation, the moving average if there is one. A few hundred samples
    bias the value upwards, alike at all times: compare it with itself only.

    Args:
        seen: called before each measurement, yields features (B, D) of generated images, the same
            on all processes.
        size: D.
        real: statistics of the real images' features, asked for once, before training.
        precision: the context to sample in, that of the final evaluation.
    """

    def __init__(
        self,
        seen: Callable[[pl.LightningModule], Iterator[Tensor]],
        size: int,
        real: Callable[[], RealStatistics],
        precision: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        self.seen, self.size, self.precision = seen, size, precision
        self.real = real

    @torch.inference_mode()
    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.mean, self.covariance, *_ = self.real()

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.sanity_checking:
            fid = self.measured(pl_module)
            pl_module.log("val/fid", fid, rank_zero_only=False, sync_dist=True)

    @torch.inference_mode()
    def measured(self, pl_module: pl.LightningModule) -> float:
        """The distance now."""
        moments = Moments(self.size, sync_on_compute=False)
        with self.precision():
            for features in self.seen(pl_module):
                moments.update(features)
        return float(frechet_distance(*moments.compute(), self.mean, self.covariance))
