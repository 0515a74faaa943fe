"""Single points of a shape from noise."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Generator

from diffstn.annotations import Count
from diffstn.callbacks.sample_sheet import SampleSheet
from diffstn.data.batches import keyed_generator
from diffstn.data.labelled import Labelled
from diffstn.errors import UserError
from diffstn.figures.cloud_images import cloud_images
from diffstn.metrics.clouds import Chamfer, CloudDistance, Wasserstein, pairwise
from diffstn.metrics.clouds.modes import modes
from diffstn.models.generates import Generates
from diffstn.store.markdown import rows_by_name
from diffstn.tasks.cloud_figures import plot_clouds
from diffstn.tasks.rounded import rounded
from diffstn.tasks.sampling import no_labels, sampled_items
from diffstn.tasks.task import Figure, Precision, Task

FLOORS = 5
"""Fresh samples of the truth that are compared with one another."""
POINTS_SHOWN = 2000


@dataclass(frozen=True, kw_only=True)
class GeneratePoints(Task):
    """Each shape's samples as one cloud, against fresh points of the true shape.

    A conditional model is asked for every class; an unconditional one is measured against the
    data's whole mixture. Chamfer distances and the exact W₁ are averaged over 5 fresh samples, and
    so are their floors, the distances between those. Of a mixture of Gaussians also the modes that
    samples reach and the share of samples that are of one, see `modes`.

    Args:
        samples: points of each shape; None: as many as the test split has.
    """

    samples: Count | None = 2000

    def check(self, model: Any, data: Any) -> None:
        if not isinstance(model, Generates) or not hasattr(data, "draw"):
            raise UserError(
                f"task=generate_points is none for {type(model).__name__} on these data: it asks"
                " for a model that generates points, which can be drawn afresh"
            )

    def measure(self, model: Generates, data: Any, seed: int = 0) -> dict[str, Any]:
        start = time.perf_counter()
        samples = self.samples or data.count("test")
        classes = data.facts.classes
        generator, truth = Generator().manual_seed(seed), keyed_generator(data.data_seed, seed, 99)
        shapes = range(len(classes)) if model.conditional else [None]
        distances: dict[str, CloudDistance] = {
            "Chamfer squared": Chamfer(),
            "Chamfer": Chamfer(squared=False),
            "EMD": Wasserstein(),
        }
        table: dict[str, dict[str, float]] = {}
        for label in shapes:
            name = classes[label] if label is not None else "+".join(classes)
            labels = torch.full((samples,), label or 0)
            made = sampled_items(model, labels, generator, samples, f"sampling {name}")
            fresh = torch.stack([data.draw(samples, truth, label).items for _ in range(FLOORS)])
            row = {}
            for title, distance in distances.items():
                found = pairwise(made[None], fresh, distance).mean()
                among = pairwise(fresh, fresh, distance)
                floor = among.sum() / (FLOORS * (FLOORS - 1))
                row[title] = rounded(found)
                row[f"{title} floor"] = rounded(floor)
                row[f"{title} ratio"] = rounded(found / floor)
            if (mixture := modes_of(data, label)) is not None:
                reached = modes(made, mixture.centres, mixture.sd)
                row["modes found"] = reached.found
                row["good points %"] = rounded(100 * reached.good)
            table[name] = row
        told = [*(f"{title} ratio" for title in distances), "modes found", "good points %"]
        mean = {
            r: rounded(sum(row[r] for row in table.values()) / len(table))
            for r in told
            if all(r in row for row in table.values())
        }
        result = {
            "generation": table,
            "numbers": mean,
            "samples": samples,
            "against": f"{FLOORS} fresh samples of the shape",
            "normalisation": "coordinates as they come, within [-1, 1]",
        }
        protocol = {name: result[name] for name in ("samples", "against", "normalisation")}
        return {**result, "protocol": protocol, "seconds": round(time.perf_counter() - start, 1)}

    def table(self, metrics: Mapping[str, Any]) -> str:
        return rows_by_name(metrics["generation"])

    def plot(self, model: Any, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """A page of samples under the data, and the reverse process."""
        generator, classes = Generator().manual_seed(seed), data.facts.classes
        told = model.conditional
        labels = torch.arange(len(classes)) if told else torch.zeros(1).long()
        every = labels.repeat_interleave(POINTS_SHOWN)
        wanted = [int(c) if told else None for c in labels]
        real = torch.stack([data.draw(POINTS_SHOWN, generator, c).items for c in wanted])
        names = list(classes) if told else ["+".join(classes)]
        shape = (len(every), *model.noise_shape)
        return plot_clouds(model, real, shape, every if told else None, names, folder, generator)

    def callbacks(
        self, model: Any, data: Any, folder: Path, precision: Precision
    ) -> list[pl.Callback]:
        """A sheet on which the shape forms with training."""
        return [
            SampleSheet(
                folder / "training.png",
                (POINTS_SHOWN, *model.noise_shape),
                lambda x: cloud_images(x.reshape(1, -1, x.shape[-1]), side=150)[0],
                precision=precision,
            )
        ]

    def to_keep(self, model: Any, data: Any, n: int, seed: int = 0) -> Labelled:
        """n points of every class that the model can be told."""
        classes = len(data.facts.classes) if model.conditional else 1
        labels = torch.arange(classes).repeat_interleave(n)
        generator = Generator().manual_seed(seed)
        made = sampled_items(model, labels, generator, len(labels))
        return Labelled(made, labels if model.conditional else no_labels(n))


def modes_of(data: Any, label: int | None) -> Any:
    """The mixture of Gaussians that data are drawn from; None if they are from none."""
    return data.modes(label) if hasattr(data, "modes") else None
