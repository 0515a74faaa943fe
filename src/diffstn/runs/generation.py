"""The numbers of a generative model: its samples against fresh or held-out data."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from diffstn.data.batches import keyed_generator
from diffstn.data.modules.drawn import DrawnData
from diffstn.metrics.clouds import (
    Chamfer,
    CloudDistance,
    CloudGeneration,
    Sinkhorn,
    Wasserstein,
    pairwise,
)
from diffstn.models.diffusion_model import DiffusionModel

DISTANCES: dict[str, Callable[[], CloudDistance]] = {
    "chamfer": Chamfer,
    "chamfer_unsquared": lambda: Chamfer(squared=False),
    "emd": Wasserstein,
    "sinkhorn": Sinkhorn,
}
FLOORS = 5
"""Fresh samples of the truth that are compared with one another."""


def rounded(value: float | Tensor) -> float:
    """To four significant digits."""
    return float(f"{float(value):.4g}")


def draw(
    model: DiffusionModel,
    item: tuple[int, ...],
    labels: Tensor,
    generator: Generator,
    batch_size: int,
    description: str = "sampling",
) -> Tensor:
    """As many items of the shape `item` as there are labels, on the CPU.

    The noise of all of them is drawn first, so that with a deterministic sampler the batch size
    does not matter. An unconditional model draws what it likes.
    """
    drawn = []
    noise = torch.randn((len(labels), *item), generator=generator)
    with tqdm(total=len(labels), desc=description, unit="item", disable=None) as bar:
        for some, x_T in zip(labels.split(batch_size), noise.split(batch_size), strict=True):
            label = some if model.conditional else None
            drawn.append(model.sample(x_T, label, generator).float().cpu())
            bar.update(len(some))
    return torch.cat(drawn)


def point_generation(model: DiffusionModel, data: Any, samples: int, seed: int) -> dict[str, Any]:
    """Each shape's samples as one cloud, against fresh samples of the true shape.

    A conditional model is asked for every class; an unconditional one is measured against the
    data's whole mixture. Chamfer distances and the exact W₁ are averaged over `FLOORS` fresh
    samples, and so are their floors, the distances between those.
    """
    generator, truth = Generator().manual_seed(seed), keyed_generator(data.data_seed, seed, 99)
    shapes = range(len(data.classes)) if model.conditional else [None]
    distances: dict[str, CloudDistance] = {
        "Chamfer squared": Chamfer(),
        "Chamfer": Chamfer(squared=False),
        "EMD": Wasserstein(),
    }
    table: dict[str, dict[str, float]] = {}
    for label in shapes:
        name = data.classes[label] if label is not None else "+".join(data.classes)
        labels = torch.full((samples,), label or 0)
        drawn = draw(model, (data.dim,), labels, generator, samples, f"sampling {name}")
        fresh = torch.stack([data.draw(samples, truth, label).items for _ in range(FLOORS)])
        row = {}
        for title, distance in distances.items():
            found = pairwise(drawn[None], fresh, distance).mean()
            among = pairwise(fresh, fresh, distance)
            floor = among.sum() / (FLOORS * (FLOORS - 1))
            row[title] = rounded(found)
            row[f"{title} floor"] = rounded(floor)
            row[f"{title} ratio"] = rounded(found / floor)
        table[name] = row
    ratios = [f"{title} ratio" for title in distances]
    numbers = {r: rounded(sum(row[r] for row in table.values()) / len(table)) for r in ratios}
    return {
        "generation": table,
        "numbers": numbers,
        "samples": samples,
        "against": f"{FLOORS} fresh samples of the shape",
        "normalisation": "coordinates as they come, within [-1, 1]",
    }


def true_clouds(data: Any, count: int, seed: int) -> Tensor:
    """As many real clouds as there are references: fresh ones where the data are drawn, and
    training clouds otherwise, or all of those if they are fewer."""
    if isinstance(data, DrawnData):
        return data.fresh(count, keyed_generator(data.data_seed, seed, 99)).items
    return data.split("train").first(count).items


def cloud_generation(
    model: DiffusionModel,
    data: Any,
    split: str,
    samples: int,
    seed: int,
    batch_size: int,
    distance: str,
) -> dict[str, Any]:
    """MMD, COV, 1-NNA and JSD of generated clouds, and of real ones beside them.

    The references are the first `samples` clouds of `split`. As many are generated, of the
    references' classes if the model hears a class, with the references' number of points. The row
    `real` says what a perfect generator would reach, see `true_clouds`. Occupancy is counted over
    the cube that holds the references.
    """
    reference = data.split(split).first(samples)
    count = len(reference.labels)
    generator = Generator().manual_seed(seed)
    generated = draw(
        model, tuple(reference.items.shape[1:]), reference.labels, generator, batch_size
    )
    training = true_clouds(data, count, seed)
    reach = float(reference.items.abs().max())
    origin = "fresh" if isinstance(data, DrawnData) else "of training"
    chosen = DISTANCES[distance]()
    table = {}
    for name, clouds in (("generated", generated), ("real", training)):
        metric = CloudGeneration(
            chosen,
            reach,
            progress=lambda items, total, name=name: tqdm(  # type: ignore[misc]
                items, total=total, desc=f"comparing {name}", unit="cloud", disable=None
            ),
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
    return {
        "generation": table,
        "numbers": table["generated"],
        "samples": count,
        "distance": getattr(chosen, "name", distance),
        "real": f"{len(training)} clouds, {origin}",
        "occupancy over": f"±{reach:.4g}",
        "normalisation": "coordinates as the data give them",
    }
