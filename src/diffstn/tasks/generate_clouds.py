"""Whole clouds of points from noise."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from torch import Generator, Tensor
from tqdm import tqdm

from diffstn.annotations import Count, OneOf
from diffstn.callbacks.sample_sheet import SampleSheet
from diffstn.data.batches import keyed_generator
from diffstn.data.labelled import Labelled
from diffstn.errors import UserError
from diffstn.figures.cloud_images import cloud_images
from diffstn.metrics.clouds import (
    Chamfer,
    CloudDistance,
    CloudGeneration,
    Sinkhorn,
    Wasserstein,
)
from diffstn.models.generates import Generates
from diffstn.ranks import group, in_order
from diffstn.store.markdown import rows_by_name
from diffstn.tasks.cloud_figures import SHOWN, plot_clouds
from diffstn.tasks.rounded import rounded
from diffstn.tasks.sampling import no_labels, sampled_items
from diffstn.tasks.task import Figure, Precision, Task

DISTANCES: dict[str, Callable[[], CloudDistance]] = {
    "chamfer": Chamfer,
    "chamfer_unsquared": lambda: Chamfer(squared=False),
    "emd": Wasserstein,
    "sinkhorn": Sinkhorn,
}


@dataclass(frozen=True, kw_only=True)
class GenerateClouds(Task):
    """MMD, COV, 1-NNA and JSD of generated clouds, and of real ones beside them.

    The references are the first `samples` clouds of `split`. As many are generated, of the
    references' classes if the model hears a class, with the references' number of points. The row
    `real` says what a perfect generator would reach, see `true_clouds`. Occupancy is counted over
    the cube that holds the references.

    Args:
        samples: how many clouds; None: as many as the split has.
        distance: how clouds are compared, a name in `DISTANCES`.
        split: of the references.
        batch_size: clouds at once.
    """

    samples: Count | None = None
    distance: Annotated[str, OneOf(tuple(DISTANCES))] = "chamfer"
    split: Annotated[str, OneOf(("test", "val"))] = "test"
    batch_size: Count = 64

    def check(self, model: Any, data: Any) -> None:
        if not isinstance(model, Generates) or data.facts.points is None:
            raise UserError(
                f"task=generate_clouds is none for {type(model).__name__} on these data: it asks"
                " for a model that generates clouds"
            )
        held_out = data.count(self.split) if data.is_loaded else None
        if self.samples and held_out is not None and self.samples > held_out:
            raise UserError(
                f"task.samples={self.samples}: the {self.split} split has only {held_out} clouds to"
                f" compare with; ask for at most as many, or hold out more (data.{self.split}=)"
            )

    def measure(self, model: Generates, data: Any, seed: int = 0) -> dict[str, Any]:
        start = time.perf_counter()
        data.setup()
        self.check(model, data)
        reference = data.split(self.split).first(self.samples or data.count(self.split))
        count = len(reference.labels)
        generator = Generator().manual_seed(seed)
        made = sampled_items(model, reference.labels, generator, self.batch_size)
        real = true_clouds(data, count, seed)
        reach = float(reference.items.abs().max())
        chosen = DISTANCES[self.distance]()
        table, silent = {}, True if group()[0] else None
        for name, clouds in (("generated", made), ("real", real)):
            metric = CloudGeneration(
                chosen,
                reach,
                progress=lambda items, total, name=name: tqdm(  # type: ignore[misc]
                    items, total=total, desc=f"comparing {name}", unit="cloud", disable=silent
                ),
                spread=in_order,
                sync_on_compute=False,
            )
            metric.update(reference.items.cpu(), real=True)
            metric.update(clouds.cpu(), real=False)
            found = metric.compute()
            table[name] = {
                "MMD": rounded(found["mmd"]),
                "COV %": rounded(100 * found["coverage"]),
                "1-NNA %": rounded(100 * found["one_nn"]),
                "JSD": rounded(found["jsd"]),
            }
        result = {
            "generation": table,
            "numbers": table["generated"],
            "samples": count,
            "distance": getattr(chosen, "name", self.distance),
            "real": f"{len(real)} clouds, {'fresh' if hasattr(data, 'fresh') else 'of training'}",
            "occupancy over": f"±{reach:.4g}",
            "normalisation": "coordinates as the data give them",
        }
        told = ("samples", "distance", "real", "occupancy over", "normalisation")
        protocol = {"split": self.split, **{name: result[name] for name in told}}
        return {**result, "protocol": protocol, "seconds": round(time.perf_counter() - start, 1)}

    def table(self, metrics: Mapping[str, Any]) -> str:
        return rows_by_name(metrics["generation"])

    def plot(self, model: Any, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """A page of samples under the data, and the reverse process."""
        held_out = data.split("test").first(SHOWN)
        labels, real = held_out.labels.cpu(), held_out.items.cpu()
        names = [data.facts.classes[c] for c in labels]
        generator = Generator().manual_seed(seed)
        label = labels if model.conditional else None
        shape = (len(real), *model.noise_shape)
        return plot_clouds(model, real, shape, label, names, folder, generator)

    def callbacks(
        self, model: Any, data: Any, folder: Path, precision: Precision
    ) -> list[pl.Callback]:
        """A sheet on which a cloud forms with training."""
        return [
            SampleSheet(
                folder / "training.png",
                (1, *model.noise_shape),
                lambda x: cloud_images(x.reshape(1, -1, x.shape[-1]), side=150)[0],
                precision=precision,
            )
        ]

    def to_keep(self, model: Any, data: Any, n: int, seed: int = 0) -> Labelled:
        """n clouds, of the classes in turn if the model can be told."""
        labels = torch.arange(n) % len(data.facts.classes)
        generator = Generator().manual_seed(seed)
        made = sampled_items(model, labels, generator, self.batch_size)
        return Labelled(made, labels if model.conditional else no_labels(n))


def true_clouds(data: Any, count: int, seed: int) -> Tensor:
    """As many real clouds as there are references: fresh ones where the data are drawn, and
    training clouds otherwise, or all of those if they are fewer."""
    if hasattr(data, "fresh"):
        return data.fresh(count, keyed_generator(data.data_seed, seed, 99)).items
    return data.split("train").first(count).items
