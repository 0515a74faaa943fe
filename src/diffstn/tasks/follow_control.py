"""Images by controls."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import Generator, Tensor

from diffstn.annotations import AtLeast, AtMost, Count, OneOf
from diffstn.callbacks.pose_sheet import PoseSheet
from diffstn.data.labelled import Labelled
from diffstn.errors import UserError
from diffstn.figures.rows_page import rows_page
from diffstn.metrics.images import Features, real_statistics
from diffstn.metrics.labels.class_accuracy import ClassAccuracy
from diffstn.models.controlnet import ControlNet
from diffstn.store.markdown import by_name, markdown, rows_by_name
from diffstn.tasks.batches import answers, batch_noise, first_of_each_class
from diffstn.tasks.features import choose_features
from diffstn.tasks.rounded import percentages, rounded
from diffstn.tasks.set_distances import check_real_images, check_samples, distance_table
from diffstn.tasks.task import Figure, Precision, Task


class Answer(NamedTuple):
    """To a batch of B images."""

    label: Tensor
    scores: Tensor
    source: Tensor
    """The judge's opinion of the samples and of the images that the controls are of."""
    features: Tensor
    kept: dict[str, Tensor]
    chance: dict[str, Tensor]
    """Fidelity (B,) to one's own control, and to the next image's."""


@dataclass(frozen=True, kw_only=True)
class FollowControl(Task):
    """One sample for the control of each image of a split: does it keep to it, and what is it?

    The judge reads the class in the sample, and in the image itself for comparison. Fidelity is the
    control's own measure; beside it stands the same against the control of the next image, which is
    what chance gives. FID, KID, precision and recall as for `GenerateImages`.

    Args:
        split: whose images the controls are made of.
        limit: only the first so many images; None: all.
        told: whether the model is told the label, too.
        features, inception_weights: see `GenerateImages`.
        batch_size: images at once.
        per_class: controls of a class on the page.
        shown: samples of each.
        watch: controls of validation images whose samples are drawn after each validation; 0: none.
    """

    split: Annotated[str, OneOf(("test", "val"))] = "test"
    limit: Count | None = None
    told: bool = False
    features: str | Features | None = None
    inception_weights: str | None = None
    batch_size: Count = 250
    per_class: Count = 2
    shown: Count = 4
    watch: Annotated[int, AtLeast(0), AtMost(64)] = 10

    def check(self, model: Any, data: Any) -> None:
        if not isinstance(model, ControlNet) or data.kind != "upright":
            raise UserError(
                f"task=control is none for {type(model).__name__} on these data: it asks for"
                " model=controlnet and images as they are; for distorted ones there is task=redraw"
            )
        if self.told and not (model.conditional and model.label_dropout < 1):
            raise UserError("task.told=true: this model was trained without labels")
        features = choose_features(self.features, data.facts, self.inception_weights)
        if self.limit:
            check_samples(self.limit, features, "task.limit")
        if data.is_loaded:
            check_real_images(data, ("train", "test"))
            check_samples(self.total(data), features, "task.limit")

    def total(self, data: Any) -> int:
        """How many images are looked at."""
        return min(data.count(self.split), self.limit or data.count(self.split))

    def measure(self, model: ControlNet, data: Any, seed: int = 0) -> dict[str, Any]:
        start, total = time.perf_counter(), self.total(data)
        features = choose_features(self.features, data.facts, self.inception_weights)
        latents = model.sample_latents(total, 1, Generator().manual_seed(seed))

        def look(rows: slice, batch: Any) -> Answer:
            at = torch.arange(rows.start, rows.stop)
            made = self.made(model, batch, at, latents[rows], seed)
            others = data.batch(self.split, (at + 1) % total, model.device).image
            kept, chance = (
                {name: value.cpu() for name, value in model.control.fidelity(made, asked).items()}
                for asked in (control_of(model, image, at) for image in (batch.image, others))
            )
            scores, source = model.judge(made).cpu(), model.judge(batch.image).cpu()
            seen = features(made).features.cpu()
            return Answer(batch.label.cpu(), scores, source, seen, kept, chance)

        found = list(answers(data, self.split, total, self.batch_size, model.device, look))
        read, source = (
            accuracy_of(data.facts.classes, found, what) for what in ("scores", "source")
        )
        kept, chance = (means(found, what) for what in ("kept", "chance"))
        generated = torch.cat([one.features for one in found])
        real = {
            split: real_statistics(data, split, features, model.device)
            for split in ("train", "test")
        }
        table = distance_table(real, {"train": generated, "test": generated}, seed)
        accuracy = read["accuracy"]
        fids = {f"FID {split}": row["FID"] for split, row in table.items()}
        asked = {"split": self.split, "images": total, "told": self.told}
        return {
            **read,
            "images_accuracy": source["accuracy"],
            "fidelity": kept,
            "fidelity_by_chance": chance,
            "generation": table,
            "numbers": {"accuracy %": accuracy, **kept, **fids},
            "protocol": {**asked, "features": features.name},
            "images": total,
            "seconds": round(time.perf_counter() - start, 1),
        }

    def made(
        self, model: ControlNet, batch: Any, rows: Tensor, latents: Tensor, seed: int
    ) -> Tensor:
        """A sample (B, C, h, w) for the control of each image of a batch, which lie at `rows`."""
        told = {"label": batch.label if self.told else None, "variant": variants(model, rows)}
        noise = batch_noise(seed, int(rows[0]))
        return model(batch.image, latents=latents, generator=noise, **told).images[:, 0]

    def table(self, metrics: Mapping[str, Any]) -> str:
        kept, chance = metrics["fidelity"], metrics["fidelity_by_chance"]
        rows = [
            ["images", metrics["images_accuracy"], *[""] * len(kept)],
            ["samples", metrics["accuracy"], *kept.values()],
            ["samples, against the next control", "", *chance.values()],
        ]
        return "\n\n".join(
            [
                markdown(["", "accuracy %", *kept], rows),
                rows_by_name(metrics["generation"]),
                by_name("class", "accuracy %", metrics["per_class"]),
            ]
        )

    def plot(self, model: ControlNet, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """Images, their controls and samples of these, class by class."""
        rows = first_of_each_class(data, self.split, self.per_class)
        page = self.page(model, folder / "controlled.png", data=data, rows=rows, seed=seed)
        return [("controlled", page)]

    def page(
        self,
        model: ControlNet,
        path: Path,
        *,
        data: Any,
        rows: Tensor,
        split: str = "",
        seed: int = 0,
    ) -> Path:
        """Draw the images of these rows, their controls and samples of each."""
        batch = data.batch(split or self.split, rows, model.device)
        generator = Generator().manual_seed(seed)
        latents = model.sample_latents(len(rows), self.shown, generator)
        at = torch.arange(len(rows))
        told = {"label": batch.label if self.told else None, "variant": variants(model, at)}
        made = model(batch.image, latents=latents, generator=generator, **told).images.float()
        control = control_of(model, batch.image, at)
        names = ["samples", *(" " * i for i in range(1, self.shown))]
        shown = {
            "image": batch.image,
            "control": model.control.shown(control),
            **dict(zip(names, made.unbind(1), strict=True)),
        }
        return rows_page(shown, path, [str(data.facts.classes[int(c)]) for c in batch.label])

    def callbacks(
        self, model: Any, data: Any, folder: Path, precision: Precision
    ) -> list[pl.Callback]:
        """A page of a few validation images after each validation, in `steps/samples`."""
        if not self.watch:
            return []

        def draw(model: Any, path: Path) -> Path:
            each = -(-self.watch // len(data.facts.classes))
            rows = first_of_each_class(data, "val", each)[: self.watch]
            return self.page(model, path, data=data, rows=rows, split="val")

        return [PoseSheet(folder / "steps" / "samples", draw, precision)]

    def to_keep(self, model: ControlNet, data: Any, n: int, seed: int = 0) -> Labelled:
        """A sample for each of the first n controls of the split."""
        rows = torch.arange(min(n, data.count(self.split)))
        latents = model.sample_latents(len(rows), 1, Generator().manual_seed(seed))
        made, labels = [], []
        for some in rows.split(self.batch_size):
            batch = data.batch(self.split, some, model.device)
            made.append(self.made(model, batch, some, latents[some], seed).cpu())
            labels.append(batch.label.cpu())
        return Labelled(torch.cat(made), torch.cat(labels))


def variants(model: ControlNet, rows: Tensor) -> Tensor:
    """Which of the control's variants the images at these rows have: each in turn."""
    return rows % model.control.variants


def control_of(model: ControlNet, images: Tensor, rows: Tensor) -> Tensor:
    """The controls of images (B, C, h, w) at these rows."""
    size = (images.shape[-2], images.shape[-1])
    return model.control(images, size, variants(model, rows))


def accuracy_of(classes: Sequence[str], found: Sequence[Answer], what: str) -> dict[str, Any]:
    """The judge's accuracy over all batches."""
    accuracy = ClassAccuracy(classes, sync_on_compute=False)
    for one in found:
        accuracy.update(getattr(one, what), one.label)
    return percentages(accuracy)


def means(found: Sequence[Answer], what: str) -> dict[str, float]:
    """Fidelities, over the images of all batches."""
    names = getattr(found[0], what)
    return {
        name: rounded(torch.cat([getattr(one, what)[name] for one in found]).double().mean())
        for name in names
    }
