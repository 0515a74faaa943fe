"""How far generated images are from real ones, in somebody's features."""

from collections.abc import Mapping
from typing import Any

from torch import Generator, Tensor

from diffstn.errors import UserError
from diffstn.metrics.images import (
    Features,
    Moments,
    RealStatistics,
    frechet_distance,
    kernel_distance,
    precision_recall,
)
from diffstn.tasks.rounded import rounded

NEIGHBOURS = 3
"""Of precision and recall."""

OTHER = {"train": "test", "test": "train"}
"""Whose real images stand beside the generated ones that are compared with a split."""


def check_samples(samples: int, features: Features, setting: str = "task.samples") -> None:
    """Refuse sets whose covariance in the features would be singular.

    Raises:
        UserError: there are not more samples than features.
    """
    if samples <= features.size:
        none = ", or for no tracking with 0" if setting == "task.track" else ""
        raise UserError(
            f"{setting}={samples}: a Fréchet distance in {features.size} features"
            f" ({features.name}) needs more than {features.size}; ask for 8192, or for features of"
            f" fewer numbers{none}"
        )


def check_real_images(data: Any, splits: tuple[str, ...] = ("train", "test")) -> None:
    """Refuse splits that are too small to compare with.

    Raises:
        UserError: one of them has no more images than a neighbourhood.
    """
    for split in splits:
        count = data.count(split)
        if count <= NEIGHBOURS:
            raise UserError(
                f"the {split} split has {count} images, and comparing samples with it takes more"
                f" than {NEIGHBOURS}: add images, or hold out more"
            )


def distances(
    generated: Tensor, real: RealStatistics, other: Tensor, seed: int
) -> dict[str, float]:
    """A row of the table: generated features (N, D) against a real set, and real ones of another
    split beside them."""
    row = {}
    some = real.features[: len(generated)]
    compared = {"": generated, " floor": other}
    for name, features in compared.items():
        moments = Moments(features.shape[1], sync_on_compute=False)
        moments.update(features)
        row[f"FID{name}"] = rounded(
            frechet_distance(*moments.compute(), real.mean, real.covariance)
        )
    for name, features in compared.items():
        kernel, spread = kernel_distance(features, some, generator=Generator().manual_seed(seed))
        row[f"KID{name}"] = rounded(kernel)
        row[f"KID{name} sd"] = rounded(spread)
    precision, recall = precision_recall(some, generated[: len(some)], NEIGHBOURS)
    row["precision %"] = rounded(100 * precision)
    row["recall %"] = rounded(100 * recall)
    return row


def distance_table(
    real: Mapping[str, RealStatistics], generated: Mapping[str, Tensor], seed: int
) -> dict[str, dict[str, float]]:
    """A row for either split: features (N, D) of what is generated against its real images, and
    as many real images of the other split beside them.

    Args:
        real: of "train" and "test".
        generated: what is compared with either.
    """
    return {
        split: distances(
            generated[split],
            real[split],
            real[other].features[: len(generated[split])].double(),
            seed,
        )
        for split, other in OTHER.items()
    }
