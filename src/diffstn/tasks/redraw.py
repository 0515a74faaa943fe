"""Redraw distorted images upright."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from diffstn.data.labelled import Labelled
from diffstn.diffusion.samplers import collect
from diffstn.errors import UserError
from diffstn.figures.pages import correction_page
from diffstn.figures.reverse_strip import reverse_strip
from diffstn.metrics.images.image_error import ImageError
from diffstn.metrics.labels.class_accuracy import ClassAccuracy
from diffstn.models.redrawer import Redrawer
from diffstn.spatial import Affine, warp
from diffstn.tasks.batches import answers, batch_noise, first_of_each_class
from diffstn.tasks.correct import STEPS_SHOWN
from diffstn.tasks.corrections import Corrections
from diffstn.tasks.rounded import percentages
from diffstn.tasks.task import Figure


class Answer(NamedTuple):
    """To a batch of B images: probabilities (B, classes) and images (B, C, h, w) by name."""

    label: Tensor
    upright: Tensor
    scores: dict[str, Tensor]
    images: dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Redraw(Corrections):
    """As for poses, with the error of the images instead of that of the poses.

    Of several redrawings the classifier's opinions are averaged, and so are the images. Settings as
    for `Corrections`.
    """

    def check(self, model: Any, data: Any) -> None:
        if not isinstance(model, Redrawer) or data.kind != "distorted":
            raise UserError(
                f"task=redraw is none for {type(model).__name__}: it asks for model=stn_in_diff or"
                " controlnet, and for distorted images"
            )

    def measure(self, model: Redrawer, data: Any, seed: int = 0) -> dict[str, Any]:
        start, counts, total = time.perf_counter(), self.counts(model), self.total(data)
        facts = data.facts
        generator = torch.Generator().manual_seed(seed)
        latents = model.sample_latents(total, counts[-1], generator)
        names = ("uncorrected", "oracle", *map(str, counts))
        accuracy = {name: ClassAccuracy(facts.classes, sync_on_compute=False) for name in names}
        errors = {name: ImageError(sync_on_compute=False) for name in names}

        def shown(rows: slice, batch: Any) -> Answer:
            redrawn = model(
                batch.image, latents=latents[rows], generator=batch_noise(seed, rows.start)
            )
            identity = Affine().identity().to(batch.image).expand(len(batch.label), -1)
            images = {
                "uncorrected": warp(batch.image, identity, size=facts.size),
                "oracle": warp(batch.image, batch.A, facts.transformation, facts.size),
            }
            scores = {name: model.judge(one).cpu() for name, one in images.items()}
            for k in counts:
                images[str(k)] = redrawn.images[:, :k].mean(dim=1)
                scores[str(k)] = redrawn.probabilities[:, :k].mean(dim=1).cpu()
            seen = {name: one.cpu() for name, one in images.items()}
            return Answer(batch.label.cpu(), batch.upright.cpu(), scores, seen)

        for one in answers(data, self.split, total, self.batch_size, model.device, shown):
            for name in names:
                accuracy[name].update(one.scores[name], one.label)
                errors[name].update(one.images[name], one.upright)
        by_name = {
            name: {**percentages(accuracy[name]), "image": errors[name].rounded()} for name in names
        }
        found = {
            "accuracy": by_name[str(counts[0])]["accuracy"],
            "uncorrected": by_name["uncorrected"]["accuracy"],
            "oracle": by_name["oracle"]["accuracy"],
            "images_as_is": {name: by_name[name]["image"] for name in ("uncorrected", "oracle")},
            "k": {str(k): by_name[str(k)] for k in counts},
        }
        return {
            **found,
            "numbers": self.headline(found),
            "protocol": {"split": self.split, "images": total},
            "images": total,
            "seconds": round(time.perf_counter() - start, 1),
        }

    def plot(self, model: Redrawer, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """A page of redrawn images, and how the first of every class came about."""
        rows = first_of_each_class(data, "test", self.per_class)
        batch = data.batch("test", rows, model.device)
        generator = torch.Generator().manual_seed(seed)
        redrawn = model(batch.image, 1, generator=generator)
        page = correction_page(
            batch.image,
            redrawn.images[:, 0],
            batch.upright,
            batch.label,
            redrawn.probabilities[:, 0].argmax(dim=-1),
            folder / "corrected.png",
            classes=data.facts.classes,
            examples=self.per_class,
        )
        image = batch.image[:: self.per_class][:10]
        latents = model.sample_latents(len(image), 1, generator)[:, 0].to(image.device)
        x_T = model.denoiser.process.prior(latents)
        finer = replace(model.sampler, steps=min(STEPS_SHOWN, model.denoiser.schedule.steps))
        walk = finer.trajectory(model.guided, x_T, generator, **model.condition(image))
        kept = collect(walk, lambda x: model.codec.decode(x).cpu())
        strip = reverse_strip(
            torch.stack(kept.x_0),
            folder / "reverse_process.png",
            timesteps=torch.tensor(kept.timesteps),
            columns=11,
        )
        return [("corrected", page), ("reverse_process", strip)]

    def to_keep(self, model: Redrawer, data: Any, n: int, seed: int = 0) -> Labelled:
        """The first n images of the split, redrawn."""
        rows = torch.arange(min(n, data.count(self.split)))
        batch = data.batch(self.split, rows, model.device)
        return Labelled(model.correct(batch.image, seed=seed).images.cpu(), batch.label.cpu())
