"""The numbers of a generative model of images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from diffstn.codecs.pixels import as_data, as_images
from diffstn.data.batches import keyed_generator
from diffstn.diffusion import likelihood_bound
from diffstn.errors import UserError
from diffstn.metrics import ClassAccuracy
from diffstn.metrics.images import (
    Features,
    Moments,
    Seen,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
)
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.runs.feature_choice import choose_features, knows
from diffstn.runs.generation import rounded
from diffstn.runs.real_statistics import RealStatistics, real_statistics

NEIGHBOURS = 3
"""Of precision and recall."""
BLOCK = 1024
"""Items whose noise is drawn at once, so that with a deterministic sampler the batch size does not
matter."""


def generated_images(
    model: DiffusionModel, data: Any, labels: Tensor, seed: int, batch_size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of images in [0, 1] on the model's device and their labels (B,).

    An unconditional model draws what it likes.
    """
    generator = Generator().manual_seed(seed)  # of the sampler; x_T has generators of its own
    item = (data.channels, *data.size)
    with tqdm(total=len(labels), desc="sampling", unit="image", disable=None) as bar:
        for number, block in enumerate(labels.split(BLOCK)):
            drawn = keyed_generator(seed, 8, number)
            noise = torch.randn((len(block), *item), generator=drawn)
            for some, x_T in zip(block.split(batch_size), noise.split(batch_size), strict=True):
                label = some if model.conditional or model.guides else None
                yield as_images(model.sample(x_T, label, generator)), some
                bar.update(len(some))


def labels_to_draw(data: Any, samples: int, seed: int) -> Tensor:
    """So many labels, in the proportions of the training images."""
    labels = data.split("train").labels.cpu()
    generator = keyed_generator(seed, 7)
    return labels[torch.randint(len(labels), (samples,), generator=generator)]


def check_samples(samples: int, features: Features, setting: str = "samples") -> None:
    """Refuse sets whose covariance in the features would be singular.

    Raises:
        UserError: there are not more samples than features.
    """
    if samples <= features.size:
        none = ", or for no tracking with 0" if setting == "evaluate.track" else ""
        raise UserError(
            f"{setting}={samples}: a Fréchet distance in {features.size} features"
            f" ({features.name}) needs more than {features.size}; ask for 8192, or for features of"
            f" fewer numbers{none}"
        )


def check_real_images(data: Any, splits: Sequence[str] = ("train", "test")) -> None:
    """Refuse splits that are too small to compare with.

    Raises:
        UserError: one of them has no more images than a neighbourhood.
    """
    for split in splits:
        count = len(data.split(split).labels)
        if count <= NEIGHBOURS:
            raise UserError(
                f"the {split} split has {count} images, and comparing samples with it takes more"
                f" than {NEIGHBOURS}: add images, or hold out more"
            )


def check_generation(data: Any, settings: Mapping[str, Any]) -> None:
    """Refuse an evaluation that could not be made, as far as the data at hand tell.

    Raises:
        UserError: one line, with the remedy.
    """
    features = choose_features(settings.get("features"), data, settings.get("inception_weights"))
    counts = {"evaluate.samples": settings["samples"], "evaluate.track": settings.get("track")}
    for setting, count in counts.items():
        if count:
            check_samples(count, features, setting)
    if data.is_loaded:
        check_real_images(data, ("train", "test", *(["val"] if settings.get("track") else [])))
        if not settings["samples"]:
            check_samples(len(data.split("test").labels), features, "evaluate.samples")


def distances(
    generated: Tensor, real: RealStatistics, other: Tensor, seed: int
) -> dict[str, float]:
    """A row of the table: generated features (N, D) against a real set, and real ones of another
    split beside them."""
    row = {}
    some = real.features[: len(generated)]
    compared = {"": generated, " floor": other}
    for name, features in compared.items():
        moments = Moments(features.shape[1])
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


def image_generation(
    model: DiffusionModel, data: Any, features: Features, samples: int, seed: int, batch_size: int
) -> dict[str, Any]:
    """FID, KID, precision and recall against the train and the test images.

    Fréchet distances are to all images of a split; the floor beside them is that of as many real
    images of the other split, or of all there are (at most `KEPT`) if they are fewer, which the
    entry `real` says. Kernel distances, with their spread over subsets, and neighbours look at as
    many real images, the first of the split. Where the
    features' network knows the classes, also its reading of the samples of a model that was told
    the class.
    """
    check_samples(samples, features)
    check_real_images(data)
    device = model.device
    real = {split: real_statistics(data, split, features, device) for split in ("train", "test")}
    labels = labels_to_draw(data, samples, seed)
    seen, accuracy = [], ClassAccuracy(data.classes)
    reads = knows(features, data)
    for images, some in generated_images(model, data, labels, seed, batch_size):
        one = Seen(*(part.cpu() for part in features(images)))
        seen.append(one)
        if reads:
            accuracy.update(one.logits.softmax(-1), some)
    generated = torch.cat([one.features for one in seen])
    table = {
        split: distances(
            generated, real[split], real[other].features[: len(generated)].double(), seed
        )
        for split, other in (("train", "test"), ("test", "train"))
    }
    numbers = {f"FID {split}": row["FID"] for split, row in table.items()}
    floors = [min(samples, len(real[split].features)) for split in ("test", "train")]
    result: dict[str, Any] = {
        "generation": table,
        "samples": samples,
        "features": features.name,
        "real": f"floors of {floors[0]} test images against train, {floors[1]} of train against"
        " test",
    }
    score, spread = inception_score(torch.cat([one.logits for one in seen]))
    numbers["inception score"] = rounded(score)
    result["inception score sd over 10 parts"] = rounded(spread)
    if reads and (model.conditional or model.guides):
        confusion = accuracy.confusion.double()
        numbers["accuracy %"] = rounded(100 * confusion.diagonal().sum() / confusion.sum())
        result["per_class"] = {
            name: rounded(100 * share)
            for name, share in accuracy.compute().items()
            if not share.isnan()  # a class that was never drawn
        }
    return {**result, "numbers": numbers}


def bits_per_dimension(
    model: DiffusionModel, data: Any, split: str, images: int, seed: int, batch_size: int
) -> dict[str, float]:
    """The bound on −log₂ p of the first so many images of a split, and what it is made of.

    Of a model that hears the class it is p(x | class). Guidance and clipping stay out of it.
    """
    device, schedule = model.device, model.denoiser.schedule
    generator = Generator().manual_seed(seed)
    bounds = []
    rows = torch.arange(min(images, len(data.split(split).labels)))
    with tqdm(
        total=len(rows) * schedule.steps, desc="likelihood", unit="call", disable=None
    ) as bar:
        for some in rows.split(batch_size):
            batch = data.batch(split, some, device)

            def counted(steps: Any, count: int = len(some)) -> Iterator[int]:
                for step in steps:
                    yield step
                    bar.update(count)

            x_0 = as_data(batch.image)
            condition = model.condition(batch.label if model.conditional else None)
            bounds.append(
                likelihood_bound(model.denoiser, x_0, generator, model.bins, counted, **condition)
            )
    steps = torch.cat([bound.steps for bound in bounds]).double().mean(0)
    prior = torch.cat([bound.prior for bound in bounds]).double().mean()
    quarters = steps[1:].tensor_split(4)
    return {
        "bits/dim": rounded(steps.sum() + prior),
        "L_0": rounded(steps[0]),
        **{
            f"L of quarter {i} of 1..T-1": rounded(part.sum()) for i, part in enumerate(quarters, 1)
        },
        "L_T": rounded(prior),
    }
