"""What to look at while a generative model learns."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diffstn.build.hardware import Hardware
from diffstn.callbacks.fid_tracker import FIDTracker
from diffstn.callbacks.sample_sheet import SampleSheet
from diffstn.codecs.pixels import as_images
from diffstn.figures.cloud_images import cloud_images
from diffstn.figures.contact import contact_sheet
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.runs.feature_choice import choose_features
from diffstn.runs.generated_clouds import POINTS
from diffstn.runs.image_generation import check_samples, generated_images, labels_to_draw
from diffstn.runs.real_statistics import real_statistics

BATCH = 256


def sample_sheet(model: DiffusionModel, data: Any, path: Path, hardware: Hardware) -> SampleSheet:
    """A drawing of every epoch: one shape, one cloud, or a dozen images."""
    if data.kind == "upright":
        count = len(data.classes) if model.conditional and len(data.classes) <= 16 else 12
        label = torch.arange(count) % len(data.classes) if model.conditional else None
        shape: tuple[int, ...] = (count, data.channels, *data.size)
        return SampleSheet(
            path,
            shape,
            lambda x: contact_sheet(as_images(x), columns=4),
            label,
            precision=hardware.autocast,
        )
    shape = (POINTS, data.dim) if data.kind == "points" else (1, data.points, data.dim)
    return SampleSheet(
        path,
        shape,
        lambda x: cloud_images(x.reshape(1, -1, x.shape[-1]), side=150)[0],
        precision=hardware.autocast,
    )


def fid_tracker(data: Any, settings: Mapping[str, Any], hardware: Hardware) -> FIDTracker:
    """FID of `settings["track"]` samples to the validation images, after every validation.

    Raises:
        UserError: there are no more samples than features.
    """
    features = choose_features(settings["features"], data, settings["inception_weights"])
    check_samples(settings["track"], features, "evaluate.track")
    real = real_statistics(data, "val", features, hardware.device)
    labels = labels_to_draw(data, settings["track"], seed=0)

    def images(model: Any) -> Iterator[Tensor]:
        for some, _ in generated_images(model, data, labels, seed=0, batch_size=BATCH):
            yield some

    return FIDTracker(images, features, real.mean, real.covariance, hardware.autocast)
