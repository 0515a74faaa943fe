"""What to look at while a generative model learns."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diffstn.callbacks.fid_tracker import FIDTracker
from diffstn.callbacks.sample_sheet import SampleSheet
from diffstn.diffusion.pictures import as_pictures
from diffstn.figures.cloud_pictures import cloud_pictures
from diffstn.figures.contact import contact_sheet
from diffstn.models.ddpm import DDPM
from diffstn.runs.feature_choice import choose_features
from diffstn.runs.generated_clouds import POINTS
from diffstn.runs.hardware import Hardware
from diffstn.runs.picture_generation import check_samples, generated_pictures, labels_to_draw
from diffstn.runs.real_statistics import real_statistics

BATCH = 256


def sample_sheet(model: DDPM, data: Any, path: Path, hardware: Hardware) -> SampleSheet:
    """A drawing of every epoch: one shape, one cloud, or a dozen pictures."""
    if data.kind == "upright":
        count = len(data.classes) if model.conditional and len(data.classes) <= 16 else 12
        label = torch.arange(count) % len(data.classes) if model.conditional else None
        shape: tuple[int, ...] = (count, data.channels, *data.size)
        return SampleSheet(
            path,
            shape,
            lambda x: contact_sheet(as_pictures(x), columns=4),
            label,
            precision=hardware.autocast,
        )
    shape = (POINTS, data.dim) if data.kind == "points" else (1, data.points, data.dim)
    return SampleSheet(
        path,
        shape,
        lambda x: cloud_pictures(x.reshape(1, -1, x.shape[-1]), side=150)[0],
        precision=hardware.autocast,
    )


def fid_tracker(data: Any, settings: Mapping[str, Any], hardware: Hardware) -> FIDTracker:
    """FID of `settings["track"]` samples to the validation pictures, after every validation.

    Raises:
        UserError: there are no more samples than features.
    """
    features = choose_features(settings["features"], data, settings["inception_weights"])
    check_samples(settings["track"], features, "evaluate.track")
    real = real_statistics(data, "val", features, hardware.device)
    labels = labels_to_draw(data, settings["track"], seed=0)

    def pictures(model: Any) -> Iterator[Tensor]:
        for some, _ in generated_pictures(model, data, labels, seed=0, batch_size=BATCH):
            yield some

    return FIDTracker(pictures, features, real.mean, real.covariance, hardware.autocast)
