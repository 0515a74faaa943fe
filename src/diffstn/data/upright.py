"""Pictures as they are, resident on the device that trains on them."""

from collections.abc import Iterator

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor

from diffstn.data.batches import Batch, DistortedBatch, IndexLoader
from diffstn.data.distortions import Distortion
from diffstn.data.pictures import Pictures, PictureSource
from diffstn.errors import UserError
from diffstn.spatial import Transformation

SPLITS = ("train", "val", "test")


class UprightData(LightningDataModule):
    """Batches of (image, label) from a picture source.

    The pictures stay in memory as bytes and move to the training device once. Loaders yield
    indices; `on_after_batch_transfer` gathers the pictures there and scales them to [0, 1]. Nothing
    is read before `setup`, and `batch` and `batches` serve without any trainer.

    Args:
        pictures: where they come from, e.g. `MNIST()`.
        batch_size: training pictures per step and rank.
        eval_batch_size: pictures per step in validation and test.
        limit_train, limit_val, limit_test: use only the first so many pictures; None: all.
        seed: with the epoch, fixes the order of the training pictures.

    Attributes:
        kind: "upright" or "distorted", what the batches hold.
        channels: C of the pictures.
        size: (h, w) of the upright pictures.
        canvas: (H, W) of the pictures in a batch; here `size`.
        classes: their names, in the order of the labels.
        distortion: what distorts them; here None.
        transformation: the family that undoes it; here None.

    Raises:
        UserError: a batch size or a limit is not positive.
    """

    kind = "upright"

    def __init__(
        self,
        pictures: PictureSource,
        batch_size: int = 256,
        eval_batch_size: int = 1000,
        limit_train: int | None = None,
        limit_val: int | None = None,
        limit_test: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        limits = {"train": limit_train, "val": limit_val, "test": limit_test}
        for name, value in {
            "batch_size": batch_size,
            "eval_batch_size": eval_batch_size,
            **{f"limit_{split}": limit for split, limit in limits.items()},
        }.items():
            if value is not None and value < 1:
                raise UserError(f"data.{name} is {value}: it must be at least 1")
        self.pictures = pictures
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.limits, self.seed = limits, seed
        self.channels = pictures.channels
        self.size: tuple[int, int] = pictures.size
        self.classes = list(pictures.classes)
        self.distortion: Distortion | None = None
        self._splits: dict[str, Pictures] = {}
        self._complete: dict[str, int] = {}  # pictures per split before the limits

    @property
    def canvas(self) -> tuple[int, int]:
        return (self.distortion and self.distortion.canvas) or self.size

    @property
    def transformation(self) -> Transformation | None:
        return self.distortion.transformation if self.distortion else None

    def prepare_data(self) -> None:
        """Read the pictures on one process of each machine first: only that one may download."""
        self.setup()

    def setup(self, stage: str | None = None) -> None:
        """Read the pictures, once."""
        if not self._splits:
            splits = self.pictures.load()
            self._complete = {split: len(splits[split].labels) for split in SPLITS}
            self._splits = {split: splits[split].first(self.limits[split]) for split in SPLITS}

    def split(self, split: str, device: torch.device | str = "cpu") -> Pictures:
        """The pictures of one split, kept on the device that last asked for them."""
        self.setup()
        pictures = self._splits[split]
        if pictures.images.device != torch.device(device):
            with torch.inference_mode(False):  # evaluation may ask first, training needs them too
                pictures = self._splits[split] = pictures.to(device)
        return pictures

    def batch(
        self, split: str, indices: Tensor, device: torch.device | str = "cpu"
    ) -> Batch | DistortedBatch:
        """The pictures of `split` at `indices` (B,), as floats on `device`."""
        images, labels = self.split(split, device)
        indices = indices.to(device)
        return Batch(images.index_select(0, indices) / 255, labels.index_select(0, indices))

    def batches(
        self, split: str, batch_size: int | None = None, device: torch.device | str = "cpu"
    ) -> Iterator[Batch | DistortedBatch]:
        """Every picture of `split` once, in order."""
        size = len(self.split(split).labels)
        for indices in IndexLoader(size, batch_size or self.eval_batch_size):
            yield self.batch(split, indices, device)

    def train_dataloader(self) -> IndexLoader:
        return self._loader("train", self.batch_size, shuffle=True, drop_last=True)

    def val_dataloader(self) -> IndexLoader:
        return self._loader("val", self.eval_batch_size)

    def test_dataloader(self) -> IndexLoader:
        return self._loader("test", self.eval_batch_size)

    def on_after_batch_transfer(self, batch: Tensor, dataloader_idx: int) -> Batch | DistortedBatch:
        trainer = self.trainer
        if trainer is None:
            raise RuntimeError("this hook is the trainer's: call batch(split, indices) instead")
        evaluated = "val" if trainer.validating or trainer.sanity_checking else "test"
        return self.batch("train" if trainer.training else evaluated, batch, batch.device)

    def _loader(
        self, split: str, batch_size: int, shuffle: bool = False, drop_last: bool = False
    ) -> IndexLoader:
        self.setup()
        return IndexLoader(
            len(self._splits[split].labels),
            batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            seed=self.seed,
            rank=self.trainer.global_rank if self.trainer else 0,
            world_size=self.trainer.world_size if self.trainer else 1,
        )
