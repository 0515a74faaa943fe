"""Whether samples of a class are of that class, beyond what one classifier reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.errors import UserError
from diffstn.figures.class_map import class_map
from diffstn.metrics.images import (
    Features,
    classification_score,
    neighbourhood_purity,
    t_sne,
)
from diffstn.tasks.rounded import rounded
from diffstn.tasks.sampling import labels_like, sampled_images
from diffstn.tasks.task import Figure

NEIGHBOURS = 10
PERPLEXITY = 30.0
MOST = 2000
"""Samples on a map: it takes memory and time that grow with the square."""
AT_ONCE = 250


def columns_of(known: Sequence[str], classes: Sequence[str]) -> list[int]:
    """Where the logits of the data's classes stand among those of a network, which may know more.

    Empty where it does not know one of them.
    """
    known = list(known)
    return [known.index(name) for name in classes] if set(classes) <= set(known) else []


def purities(generated: Tensor, labels: Tensor, real: Tensor, theirs: Tensor) -> dict[str, float]:
    """Neighbourhood purity in percent: of samples among themselves and among real images, and of
    as many real images among themselves.

    Args:
        generated: features (N, D) of samples of the classes `labels` (N,).
        real: features (M, D), the first of those that have the classes `theirs`.
    """
    real = real[: len(generated)]
    theirs = theirs[: len(real)].cpu()
    if min(len(real), len(generated)) <= NEIGHBOURS:
        return {}
    found = {
        "purity %": neighbourhood_purity(generated, labels, NEIGHBOURS),
        "purity among real %": neighbourhood_purity(
            generated, labels, NEIGHBOURS, among=(real, theirs)
        ),
        "purity of real %": neighbourhood_purity(real, theirs, NEIGHBOURS),
    }
    return {name: rounded(100 * value) for name, value in found.items()}


def classification_scores(
    images: Tensor, labels: Tensor, data: Any, seed: int, device: torch.device
) -> dict[str, float]:
    """Test accuracy in percent of a classifier taught by samples, and by as many real images.

    Args:
        images: samples (N, C, H, W) of the classes `labels` (N,).
    """
    classes = len(data.facts.classes)
    rows = torch.arange(data.count("train"))[: len(images)]
    batch = data.batch("train", rows, device)

    def score(taught: Tensor, told: Tensor) -> float:
        test = ((b.image, b.label) for b in data.batches("test", AT_ONCE, device))
        return rounded(100 * classification_score(taught, told, classes, test, seed))

    return {
        "CAS %": score(images.to(device), labels.to(device)),
        "CAS of real %": score(batch.image, batch.label),
    }


def check_mapped(count: int) -> None:
    """Refuse maps that cannot be made.

    Raises:
        UserError: too few samples for the neighbourhoods, or too many.
    """
    if not PERPLEXITY < count <= MOST // 2:
        raise UserError(
            f"task.mapped={count}: a map takes {PERPLEXITY + 1:.0f} to {MOST // 2} samples, or 0"
            " for none"
        )


def plot_classes(
    model: Any, data: Any, features: Features, folder: Path, count: int, seed: int
) -> Figure:
    """t-SNE of the features of samples and of test images together, coloured by class."""
    labels = labels_like(data, count, seed)
    walked = sampled_images(model, labels, seed, AT_ONCE, lambda x: features(x).features.cpu())
    made = torch.cat([one for one, _ in walked])
    rows = torch.arange(min(count, data.count("test")))
    real = torch.cat(
        [
            features(data.batch("test", some, model.device).image).features.cpu()
            for some in rows.split(AT_ONCE)
        ]
    )
    theirs = data.labels("test")[rows].cpu()
    points = t_sne(torch.cat([real, made]), PERPLEXITY, generator=Generator().manual_seed(seed))
    pure = purities(made, labels, real, theirs)
    titles = [
        f"{len(real)} test images, purity {pure['purity of real %']:.4g} %",
        f"{count} samples, purity {pure['purity %']:.4g} %",
    ]
    generated = torch.arange(len(points)) >= len(real)
    path = class_map(
        points,
        torch.cat([theirs, labels]),
        generated,
        data.facts.classes,
        folder / "classes.png",
        titles,
    )
    return "classes", path
