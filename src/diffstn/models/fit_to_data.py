"""The scale of the poses that a model is to predict."""

from typing import Any

import torch

from diffstn.codecs.standardised_pose import StandardisedPose

EXAMPLES = 10_000


def fit_to_data(standardiser: StandardisedPose, model: Any, data: Any) -> None:
    """Fit to the poses, relative to the model's frames, of seeded distortions of training images.

    Args:
        model: a `PoseCorrector`.
        data: with `examples(n)`, batches of distorted training images that are always the same.
    """
    with torch.no_grad():
        relative = [model.to_frame(b.image, b.A) for b in data.examples(EXAMPLES)]
    standardiser.fit(torch.cat(relative))
