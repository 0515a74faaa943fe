"""Images from noise."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from diffstn.annotations import AtLeast, Count, OneOf
from diffstn.callbacks.fid_tracker import FIDTracker
from diffstn.callbacks.sample_sheet import SampleSheet
from diffstn.data.labelled import Labelled
from diffstn.diffusion import likelihood_bound
from diffstn.errors import UserError
from diffstn.figures.contact import contact_sheet
from diffstn.metrics.images import (
    Features,
    RealStatistics,
    Seen,
    inception_score,
    real_statistics,
)
from diffstn.metrics.labels.class_accuracy import ClassAccuracy
from diffstn.models.diffusion_model import DiffusionModel, told
from diffstn.models.generates import Generates
from diffstn.ranks import group, in_order
from diffstn.store.markdown import by_name, markdown, rows_by_name
from diffstn.tasks.batches import batch_noise, progress
from diffstn.tasks.classes_of_samples import (
    check_mapped,
    classification_scores,
    columns_of,
    plot_classes,
    purities,
)
from diffstn.tasks.features import choose_features
from diffstn.tasks.plot_images import plot_images
from diffstn.tasks.rounded import rounded
from diffstn.tasks.sampling import labels_like, no_labels, sampled_images
from diffstn.tasks.set_distances import check_real_images, check_samples, distance_table
from diffstn.tasks.task import Figure, Precision, Task

WATCHED_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class GenerateImages(Task):
    """FID, KID, precision and recall against the train and the test images.

    Fréchet distances are to all images of a split; the floor beside them is that of as many real
    images of the other split, or of all there are if they are fewer. Of a model that was told the
    class also how the classes lie apart, and, where the features' network knows them, its reading
    of the samples among them.

    Args:
        samples: how many to look at; None: as many as the test split has.
        features: what looks at them: `judge`, `cifar_judge`, `inception`, the folder of a run of
            `model=classifier` or a node of features of your own; None: our own classifier of such
            images.
        inception_weights: file of Inception's weights, where they cannot be fetched.
        likelihood: of how many images to bound it, in bits per dimension; 0 is none.
        likelihood_split: of which split they are.
        track: samples for `val/fid` after each validation; 0 is none.
        batch_size: images at once.
        per_class: images of a class on the page.
        cas: of how many samples to take the classification accuracy score; 0 is none.
        mapped: samples, and as many test images, on a map of the classes; 0 is none.
    """

    samples: Count | None = 8192
    features: str | Features | None = None
    inception_weights: str | None = None
    likelihood: Annotated[int, AtLeast(0)] = 0
    likelihood_split: Annotated[str, OneOf(("test", "val"))] = "test"
    track: Annotated[int, AtLeast(0)] = 512
    batch_size: Count = 250
    per_class: Count = 8
    cas: Annotated[int, AtLeast(0)] = 0
    mapped: Annotated[int, AtLeast(0)] = 0

    def check(self, model: Any, data: Any) -> None:
        if not isinstance(model, Generates) or data.facts.channels is None:
            raise UserError(
                f"task=generate_images is none for {type(model).__name__} on these data: it asks"
                " for a model that generates images"
            )
        for setting in ("cas", "mapped"):
            if (count := getattr(self, setting)) and not model.hears_label:
                raise UserError(
                    f"task.{setting}={count}: it is of samples of a class, and this model is told"
                    " none: model.conditional=true"
                )
        if self.mapped:
            check_mapped(self.mapped)
        if self.cas and self.samples and self.cas > self.samples:
            raise UserError(
                f"task.cas={self.cas}: there are task.samples={self.samples} to look at"
            )
        if self.likelihood and not isinstance(model, DiffusionModel):
            raise UserError(f"task.likelihood={self.likelihood}: only diffusion models bound one")
        if self.likelihood and told("auto", model.codec, "bins") is None:  # type: ignore[attr-defined]
            raise UserError(
                f"task.likelihood={self.likelihood}: bits per dimension are of pixels, and this"
                " model's codec makes something else of them: take a model with codec=pixels"
            )
        features = choose_features(self.features, data.facts, self.inception_weights)
        for setting, count in (("task.samples", self.samples), ("task.track", self.track)):
            if count:
                check_samples(count, features, setting)
        if data.is_loaded:
            check_real_images(data, ("train", "test", *(["val"] if self.track else [])))
            if not self.samples:
                check_samples(data.count("test"), features, "task.samples")

    def measure(self, model: Any, data: Any, seed: int = 0) -> dict[str, Any]:
        start = time.perf_counter()
        count = self.samples or data.count("test")
        features = choose_features(self.features, data.facts, self.inception_weights)
        result = image_generation(
            model, data, features, count, seed, self.batch_size, min(self.cas, count)
        )
        if self.likelihood:
            bound = self.bits_per_dimension(model, data, seed)
            split = self.likelihood_split
            of = f"{min(self.likelihood, data.count(split))} of {split}"
            result["likelihood"] = {"images": of, **bound}
            result["numbers"]["bits/dim"] = bound["bits/dim"]
        told = ("samples", "features", "real")
        protocol = {"split": "test", **{name: result[name] for name in told}}
        seconds = round(time.perf_counter() - start, 1)
        return {**result, "protocol": protocol, "seconds": seconds}

    def table(self, metrics: Mapping[str, Any]) -> str:
        further = {k: v for k, v in metrics["numbers"].items() if not k.startswith("FID")}
        tables = [rows_by_name(metrics["generation"])]
        tables.append(markdown(list(further), [list(further.values())]))
        if "per_class" in metrics:
            tables.append(by_name("class", "accuracy %", metrics["per_class"]))
        if "likelihood" in metrics:
            tables.append(by_name("", "bits/dim", metrics["likelihood"]))
        return "\n\n".join(tables)

    def plot(self, model: Any, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """What the model can show, see `plot_images`, and where its classes lie."""
        figures = plot_images(model, data, folder, seed, self.per_class)
        if self.mapped:
            features = choose_features(self.features, data.facts, self.inception_weights)
            figures.append(plot_classes(model, data, features, folder, self.mapped, seed))
        return figures

    def callbacks(
        self, model: Any, data: Any, folder: Path, precision: Precision
    ) -> list[pl.Callback]:
        """A sheet of samples that grows with training and, if asked for, the FID of a few."""
        classes = len(data.facts.classes)
        count = classes if model.conditional and classes <= 16 else 12
        label = torch.arange(count) % classes if model.conditional else None
        watching: list[pl.Callback] = [
            SampleSheet(
                folder / "training.png",
                (count, *model.noise_shape),
                lambda images: contact_sheet(images, columns=4),
                label,
                precision=precision,
            )
        ]
        if self.track:
            watching.append(self.tracker(data, model.device, precision))
        return watching

    def tracker(self, data: Any, device: torch.device, precision: Precision) -> FIDTracker:
        """FID of a few samples to the validation images, after every validation."""
        features = choose_features(self.features, data.facts, self.inception_weights)
        check_samples(self.track, features, "task.track")

        def real() -> RealStatistics:
            return real_statistics(data, "val", features, device)

        labels = labels_like(data, self.track, seed=0)

        def seen(model: Any) -> Iterator[Tensor]:
            for some, _ in sampled_images(
                model, labels, 0, WATCHED_AT_ONCE, lambda images: features(images).features.cpu()
            ):
                yield some

        return FIDTracker(seen, features.size, real, precision)

    def to_keep(self, model: Any, data: Any, n: int, seed: int = 0) -> Labelled:
        """n samples, with labels in the proportions of the training images."""
        labels = labels_like(data, n, seed)
        batches = sampled_images(model, labels, seed, self.batch_size, lambda x: x.cpu())
        made = torch.cat([images for images, _ in batches])
        return Labelled(made, labels if model.hears_label else no_labels(n))

    def bits_per_dimension(self, model: DiffusionModel, data: Any, seed: int) -> dict[str, float]:
        """The bound on −log₂ p of the first so many images of a split, and what it is made of.

        Of a model that hears the class it is p(x | class), of another p(x). If it hears kinds,
        p(x) ≥ π_k p(x | k) with the kind k of x, and alike within a class. Guidance and clipping
        stay out of it.
        """
        device, schedule, split = model.device, model.denoiser.schedule, self.likelihood_split
        rows = torch.arange(min(self.likelihood, data.count(split)))
        with progress(len(rows) * schedule.steps // group()[1], "likelihood", "call") as bar:

            def bound(some: Tensor) -> tuple[Tensor, Tensor, Tensor]:
                batch = data.batch(split, some, device)

                def counted(steps: Any, count: int = len(some)) -> Iterator[int]:
                    for step in steps:
                        yield step
                        bar.update(count)

                x_0 = model.codec.encode(batch.image)
                heard = model.heard(batch)
                condition = {"label": heard} if model.is_told else {}
                kind = model.clusters.bits(heard) if model.clusters else x_0.new_zeros(len(some))
                noise = batch_noise(seed, int(some[0]))
                found = likelihood_bound(
                    model.denoiser, x_0, noise, model.bins, counted, **condition
                )
                return found.steps.cpu(), found.prior.cpu(), kind.cpu()

            bounds = list(in_order(rows.split(self.batch_size), bound))
        parts = zip(*bounds, strict=True)
        steps, prior, kind = (torch.cat(part).double().mean(0) for part in parts)
        quarters = steps[1:].tensor_split(4)
        return {
            "bits/dim": rounded(steps.sum() + prior + kind),
            "L_0": rounded(steps[0]),
            **{
                f"L of quarter {i} of 1..T-1": rounded(part.sum())
                for i, part in enumerate(quarters, 1)
            },
            "L_T": rounded(prior),
            **({"kind": rounded(kind)} if model.clusters else {}),
        }


def image_generation(
    model: Generates,
    data: Any,
    features: Features,
    samples: int,
    seed: int,
    batch_size: int,
    cas: int = 0,
) -> dict[str, Any]:
    """The numbers of so many samples in the features.

    Kernel distances, with their spread over subsets, and neighbours look at as many real images,
    the first of the split. The classification accuracy score is that of the first `cas` samples.
    """
    check_samples(samples, features)
    check_real_images(data)
    device, classes = model.device, data.facts.classes
    real = {split: real_statistics(data, split, features, device) for split in ("train", "test")}
    labels = labels_like(data, samples, seed)
    seen, accuracy = [], ClassAccuracy(classes, sync_on_compute=False)
    columns, kept = columns_of(features.classes, classes), torch.empty(0)

    def look(images: Tensor) -> tuple[Seen, Tensor]:
        return Seen(*(part.cpu() for part in features(images))), images[:cas].cpu()

    for (one, images), some in sampled_images(model, labels, seed, batch_size, look):
        seen.append(one)
        if len(kept) < cas:
            kept = torch.cat([kept, images]) if len(kept) else images
        if columns:
            accuracy.update(one.logits[:, columns].softmax(-1), some)
    generated = torch.cat([one.features for one in seen])
    table = distance_table(real, {"train": generated, "test": generated}, seed)
    numbers = {f"FID {split}": row["FID"] for split, row in table.items()}
    floors = [min(samples, len(real[split].features)) for split in ("test", "train")]
    result: dict[str, Any] = {
        "generation": table,
        "samples": samples,
        "features": features.name,
        "real": f"floors of {floors[0]} test images against train, {floors[1]} of train against"
        " test",
    }
    logits = torch.cat([one.logits for one in seen])
    if logits.shape[1] > 1:
        score, spread = inception_score(logits)
        numbers["inception score"] = rounded(score)
        result["inception score sd over 10 parts"] = rounded(spread)
    if model.hears_label and len(classes) > 1:
        numbers |= purities(generated, labels, real["test"].features, data.labels("test"))
    if cas:
        numbers |= classification_scores(kept[:cas], labels[:cas], data, seed, device)
    if columns and model.hears_label:
        confusion = accuracy.confusion.double()
        numbers["accuracy %"] = rounded(100 * confusion.diagonal().sum() / confusion.sum())
        result["per_class"] = {
            name: rounded(100 * share)
            for name, share in accuracy.compute().items()
            if not share.isnan()  # a class that was never sampled
        }
    return {**result, "numbers": numbers}
