"""What a model has to know of its data before it trains."""

from typing import Any

import torch
from torch import nn

from diffstn.codecs.standardised_pose import StandardisedPose

EXAMPLES = 10_000
IMAGES = 4096
"""Each of which has many places."""


def fit_to_data(standardiser: StandardisedPose, model: Any, data: Any) -> None:
    """Fit to the poses, relative to the model's frames, of seeded distortions of training images.

    Args:
        model: a `PoseCorrector`.
        data: with `examples(n)`, batches of distorted training images that are always the same.
    """
    with torch.no_grad():
        relative = [model.to_frame(b.image, b.A) for b in data.examples(EXAMPLES)]
    standardiser.fit(torch.cat(relative))


def fit_codec(codec: Any, data: Any) -> None:
    """Fit a codec that has to know the scale of the data to the first training items, always the
    same.
    """
    if not hasattr(codec, "fit"):
        return
    rows = torch.arange(min(IMAGES, data.count("train")))
    codec.fit(data.batch("train", some).items for some in rows.split(data.eval_batch_size))


def fit_parts(model: nn.Module, data: Any) -> None:
    """Fit what of a model has `fit_to_images`, such as `PatchWhitening`, to training images, always
    the same: the first, or, where a part says how many it wants (`examples`), so many of all.
    """
    parts: list[Any] = [part for part in model.modules() if hasattr(part, "fit_to_images")]
    if not parts:
        return
    most = max(getattr(part, "examples", IMAGES) for part in parts)
    if hasattr(data, "examples"):  # whose distortions never change
        seen = [(batch.image, batch.label) for batch in data.examples(most)]
    else:
        count = data.count("train")
        rows = torch.arange(min(most, count))
        if any(hasattr(part, "examples") for part in parts):  # they may be sorted
            rows = rows * count // len(rows)
        batches = (data.batch("train", some) for some in rows.split(data.eval_batch_size))
        seen = [(batch.items, batch.label) for batch in batches]
    images, labels = zip(*seen, strict=True)
    for part in parts:
        part.fit_to_images(images, labels)
