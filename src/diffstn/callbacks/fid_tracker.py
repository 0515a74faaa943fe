"""FID while a model of images learns."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytorch_lightning as pl
import torch
from torch import Tensor

from diffstn.metrics.images import Features, Moments, frechet_distance


class FIDTracker(pl.Callback):
    """After each validation, the Fréchet distance of a few samples, logged as `val/fid`.

    The weights are those of validation, the moving average if there is one. A few hundred samples
    bias the value upwards, alike at all times: compare it with itself only.

    Args:
        images: called before each measurement, yields batches of generated images in [0, 1].
        features: what looks at them.
        mean, covariance: of the real images' features.
        precision: the context to sample in, that of the final evaluation.
    """

    def __init__(
        self,
        images: Callable[[pl.LightningModule], Iterator[Tensor]],
        features: Features,
        mean: Tensor,
        covariance: Tensor,
        precision: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        self.images, self.features, self.precision = images, features, precision
        self.mean, self.covariance = mean, covariance

    @torch.inference_mode()
    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        moments = Moments(self.features.size)
        with self.precision():
            for images in self.images(pl_module):
                moments.update(self.features(images).features.cpu())
        fid = frechet_distance(*moments.compute(), self.mean, self.covariance)
        pl_module.log("val/fid", fid.float(), rank_zero_only=False, sync_dist=True)
