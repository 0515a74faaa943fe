"""The scale of what a model is to predict."""

from typing import Any

import torch

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
