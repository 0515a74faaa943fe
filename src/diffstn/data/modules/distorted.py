"""Distorted images with the transformations that undo the distortion."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import torch
from torch import Tensor

from diffstn.annotations import AtLeast, OneOf
from diffstn.data.batches import DistortedBatch, keyed_generator
from diffstn.data.distortions import Distortion
from diffstn.data.labelled import Labelled
from diffstn.data.modules.upright import UprightData
from diffstn.data.sources.source import ImageSource
from diffstn.data.splits import SPLITS
from diffstn.errors import UserError
from diffstn.ranks import of_all
from diffstn.spatial import KERNELS, PADDINGS


class DistortedData(UprightData):
    """Batches of (distorted image, label, A, upright), each distorted by one warp on its device.

    A training batch draws its A afresh every time, ranks that train together for the whole batch
    that they share. The A of validation and
    test images belong to the images: they are drawn once for a whole split from `data_seed`, so
    that neither batch size, rank, device nor a limit changes what is measured.

    Args:
        images: where the upright images come from.
        distortion: the distribution of A.
        data_seed: fixes the A of val and test.
        test_poses: how many A every test image has; the split is so many times as long.
        kernels: of `KERNELS`, for each training image one of them at random. Pictures come from
            other programs, whose kernels may be sharper or coarser than ours. Validation and test
            images are distorted by the first.
        padding: of `PADDINGS`: what comes in from beyond the edges of an upright image.
        **options: as for `UprightData`.
    """

    kind = "distorted"
    distortion: Distortion

    def __init__(
        self,
        images: ImageSource,
        distortion: Distortion,
        data_seed: int = 0,
        test_poses: Annotated[int, AtLeast(1)] = 1,
        kernels: Sequence[str] = ("bilinear",),
        padding: Annotated[str, OneOf(PADDINGS)] = "zeros",
        **options: Any,
    ) -> None:
        super().__init__(images, **options)
        if not kernels or not {*kernels} <= {*KERNELS}:
            raise UserError(f"data.kernels={list(kernels)}: name some of {', '.join(KERNELS)}")
        self.distortion, self.data_seed, self.test_poses = distortion, data_seed, test_poses
        self.kernels, self.padding = list(kernels), padding
        self._poses: dict[str, Tensor] = {}

    def load(self) -> Mapping[str, Labelled]:
        splits = dict(super().load())
        once = torch.arange(len(splits["test"].labels))
        splits["test"] = splits["test"].at(once.repeat(self.test_poses))
        return splits

    def poses(self, split: str, device: torch.device | str = "cpu") -> Tensor:
        """A (N, dim) of every image of val or test, kept on the device that last asked."""
        with torch.inference_mode(False):
            if split not in self._poses:
                self.setup()
                generator = keyed_generator(self.data_seed, SPLITS.index(split))
                drawn = self.distortion.draw(self._complete[split], self.size, generator)
                self._poses[split] = drawn[: self.limits[split]]
            self._poses[split] = self._poses[split].to(device)
        return self._poses[split]

    def examples(self, n: int) -> Iterator[DistortedBatch]:
        """The first n training images with distortions of their own, which never change."""
        images = self.split("train").first(n)
        generator = keyed_generator(self.data_seed, len(SPLITS))
        A = self.distortion.draw(len(images.labels), self.size, generator)
        for rows in torch.arange(len(A)).split(self.eval_batch_size):
            upright = images.items[rows] / 255
            image = self.distortion.distort(upright, A[rows], self.kernels[0], self.padding)
            yield DistortedBatch(image, images.labels[rows], A[rows], upright)

    def batch(
        self, split: str, indices: Tensor, device: torch.device | str = "cpu"
    ) -> DistortedBatch:
        """The images of `split` at `indices` (B,), distorted on `device`."""
        upright, label = super().batch(split, indices, device)[:2]
        upright = self.augmented(split, upright, indices)
        if split == "train":
            A = of_all(
                lambda n, generator: self.distortion.draw(n, self.size, generator, upright.device),
                len(upright),
                upright.device,
            )
        else:
            A = self.poses(split, device)[indices.to(device)]
        return DistortedBatch(self.distorted(split, upright, A), label, A, upright)

    def distorted(self, split: str, upright: Tensor, A: Tensor) -> Tensor:
        """Images of `split` (B, C, h, w) in the poses A (B, dim)."""
        if split != "train" or len(self.kernels) == 1:
            return self.distortion.distort(upright, A, self.kernels[0], self.padding)
        choices, device = len(self.kernels), upright.device
        which = of_all(
            lambda n, generator: torch.randint(choices, (n,), generator=generator, device=device),
            len(upright),
            device,
        )
        return self.distortion.distort_by(upright, A, self.kernels, which, self.padding)

    def received(self, split: str, rows: Tensor) -> DistortedBatch:
        return self.batch(split, rows, rows.device)  # it is augmented before it is distorted
