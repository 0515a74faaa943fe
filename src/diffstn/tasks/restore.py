"""Degraded images, restored."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from diffstn.annotations import Count, Share
from diffstn.data.labelled import Labelled
from diffstn.diffusion.samplers import Cold, ColdNaive, Trajectory, collect
from diffstn.errors import UserError
from diffstn.figures.contact import contact_sheet
from diffstn.figures.panels import panel_page
from diffstn.metrics.images import Features, Moments, frechet_distance, real_statistics
from diffstn.metrics.images.image_error import ImageError
from diffstn.models.cold_diffusion import ColdDiffusion
from diffstn.store.markdown import markdown
from diffstn.tasks.batches import answers, batch_noise
from diffstn.tasks.features import choose_features
from diffstn.tasks.rounded import rounded
from diffstn.tasks.task import Figure, Task

COLUMNS = {"psnr_db": "PSNR dB", "ssim": "SSIM", "FID": "FID"}
WIDTH = 960


class Answer(NamedTuple):
    """Of a batch: the images (B, C, H, W) by what was done with them, and their features."""

    images: dict[str, Tensor]
    features: dict[str, Tensor]


class Tally:
    """The errors of restored images and, of enough images, their Fréchet distance to real ones.

    Args:
        data: the real ones, of the test split.
        features: what looks at them.
        device: where that happens.
        enough: whether there are more images than features.
    """

    def __init__(self, data: Any, features: Features, device: torch.device, enough: bool) -> None:
        self.features = features
        self.real = real_statistics(data, "test", features, device) if enough else None
        self.errors = {name: ImageError(sync_on_compute=False) for name in ("degraded", *WAYS)}
        self.moments = {name: Moments(features.size, sync_on_compute=False) for name in self.errors}

    def look(self, images: dict[str, Tensor]) -> Answer:
        """The images (B, C, H, W) and their features, on the CPU."""
        looked = images if self.real else {}
        features = {name: self.features(one).features.cpu() for name, one in looked.items()}
        return Answer({name: one.cpu() for name, one in images.items()}, features)

    def update(self, one: Answer) -> None:
        """Take in a batch."""
        for name, error in self.errors.items():
            error.update(one.images[name], one.images["clean"])
            if self.real:
                self.moments[name].update(one.features[name])

    def compute(self) -> dict[str, dict[str, float]]:
        """The numbers of each way."""
        found = {name: error.rounded() for name, error in self.errors.items()}
        for name, row in found.items():
            if self.real:
                known = self.moments[name].compute()
                distance = frechet_distance(*known, self.real.mean, self.real.covariance)
                row["FID"] = rounded(distance)
        return found


@dataclass(frozen=True, kw_only=True)
class Restore(Task):
    """How near restored images come to what they were, and to images at all.

    Test images are degraded and restored in one step, by naive and by improved cold sampling, both
    with the steps and the spacing of the model's sampler. PSNR and SSIM compare each with its
    original; the Fréchet distance is that of all restored ones to all test images. Of no more
    images than there are features there is none.

    Args:
        at: how far they are degraded, as shares of T.
        limit: only the first so many images; None: all.
        features, inception_weights: what looks at them, see `GenerateImages`.
        batch_size: images at once; it changes no number.
        shown: images on the pages.
    """

    at: Sequence[Share] = (0.5, 1.0)
    limit: Count | None = None
    features: str | Features | None = None
    inception_weights: str | None = None
    batch_size: Count = 250
    shown: Count = 8

    def check(self, model: Any, data: Any) -> None:
        if not isinstance(model, ColdDiffusion):
            raise UserError(
                f"task=restore is none for {type(model).__name__}: it asks for model=cold"
            )
        if not self.at:
            raise UserError("task.at=[]: name a share of the process, such as 1.0")
        if min(self.at) == 0:
            raise UserError("task.at: at 0 nothing is degraded; name shares above it, such as 1.0")
        choose_features(self.features, data.facts, self.inception_weights)  # refuses others

    def total(self, data: Any) -> int:
        """How many images are looked at."""
        return min(data.count("test"), self.limit or data.count("test"))

    def starts(self, model: ColdDiffusion) -> list[int]:
        """The timesteps at which restoring begins, ascending."""
        return sorted({max(1, round(share * model.process.steps)) for share in self.at})

    def measure(self, model: ColdDiffusion, data: Any, seed: int = 0) -> dict[str, Any]:
        begin, total = time.perf_counter(), self.total(data)
        features = choose_features(self.features, data.facts, self.inception_weights)
        z = torch.randn((total, *model.shape), generator=Generator().manual_seed(seed))
        found = {}
        for t in self.starts(model):
            tally = Tally(data, features, model.device, total > features.size)

            def seen(rows: slice, batch: Any, t: int = t, tally: Tally = tally) -> Answer:
                noise = batch_noise(seed, rows.start)
                return tally.look(restorations(model, batch.image, t, z[rows], noise))

            for one in answers(data, "test", total, self.batch_size, model.device, seen):
                tally.update(one)
            found[str(t)] = tally.compute()
        numbers = {
            f"{COLUMNS[measure]} {name} t={t}": value
            for t, rows in found.items()
            for name in WAYS
            for measure, value in rows[name].items()
        }
        return {
            "restored": found,
            "steps": model.process.steps,
            "numbers": numbers,
            "protocol": {
                "split": "test",
                "images": total,
                "features": features.name if total > features.size else None,
            },
            "seconds": round(time.perf_counter() - begin, 1),
        }

    def table(self, metrics: Mapping[str, Any]) -> str:
        first = next(iter(metrics["restored"].values()))["degraded"]
        columns = {name: title for name, title in COLUMNS.items() if name in first}
        body = [
            [f"t = {t} of {metrics['steps']}", name, *(f"{row[column]:.4g}" for column in columns)]
            for t, rows in metrics["restored"].items()
            for name, row in rows.items()
        ]
        return markdown(["", "", *columns.values()], body)

    def plot(self, model: ColdDiffusion, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """What is restored of each start, both walks, and images from the end of the process."""
        rows = torch.arange(min(self.shown, data.count("test")))
        image = data.batch("test", rows, model.device).image
        z = torch.randn((len(rows), *model.shape), generator=Generator().manual_seed(seed))

        def page(name: str, images: Mapping[str, Tensor], columns: int) -> Figure:
            scale = max(1, WIDTH // columns // image.shape[-1])
            gap = max(1, scale // 2)
            sheets = [contact_sheet(one.cpu(), columns, scale, gap) for one in images.values()]
            path = panel_page(torch.stack(sheets), folder / f"{name}.png", [*images], 1)
            return name, path

        figures = []
        for t in self.starts(model):
            made = restorations(model, image, t, z, batch_noise(seed, 0))
            named = {
                f"{name}, t = {t}" if name == "degraded" else name: x for name, x in made.items()
            }
            figures.append(page(f"restored_{t}", named, len(rows)))
        figures.append(page("walks", walks(model, image[:1], z[:1]), SHOWN_STEPS))
        if hasattr(model.process, "prior"):
            noise = torch.randn((40, *model.shape), generator=Generator().manual_seed(seed))
            x_T = model.codec.decode(model.process.prior(noise.to(model.device)))
            figures.append(page("samples", {"x_T": x_T, "sampled": model.generate(noise)}, 10))
        return figures

    def to_keep(self, model: ColdDiffusion, data: Any, n: int, seed: int = 0) -> Labelled:
        """The first n test images, degraded to T and restored by the model's own sampler."""
        rows = torch.arange(min(n, data.count("test")))
        batch = data.batch("test", rows, model.device)
        z = torch.randn((len(rows), *model.shape), generator=Generator().manual_seed(seed))
        x_T, eps = model.degrade(model.codec.encode(batch.image), model.process.steps, z)
        restored = model.restore(x_T, eps=eps, generator=batch_noise(seed, 0))
        return Labelled(model.codec.decode(restored).cpu(), batch.label.cpu())


def one_step(model: ColdDiffusion, x_t: Tensor, t: int, **rest: Any) -> Tensor:
    """x̂_0 as the network says it of x_t."""
    return model.restorer(x_t, torch.full((len(x_t),), t, device=x_t.device)).x_0


def by(kind: type[ColdNaive]) -> Callable[..., Tensor]:
    """Restoring by that sampler, with the steps and the spacing of the model's own."""

    def restored(model: ColdDiffusion, x_t: Tensor, t: int, **rest: Any) -> Tensor:
        return model.restore(x_t, t, sampler=like(model, kind, t), **rest)

    return restored


def like(model: ColdDiffusion, kind: type[ColdNaive], t: int) -> ColdNaive:
    """The sampler of that kind, from t on."""
    own = model.sampler
    return kind(steps=own.steps and min(own.steps, t), spacing=own.spacing)


WAYS: dict[str, Callable[..., Tensor]] = {
    "one step": one_step,
    "naive": by(ColdNaive),
    "improved": by(Cold),
}
SHOWN_STEPS = 11


def restorations(
    model: ColdDiffusion, image: Tensor, t: int, z: Tensor, generator: Generator
) -> dict[str, Tensor]:
    """Images (B, C, H, W) in [0, 1] as they are, degraded, and restored in all ways."""
    x_0 = model.codec.encode(image)
    x_t, eps = model.degrade(x_0, t, z)
    made = {name: way(model, x_t, t, eps=eps, generator=generator) for name, way in WAYS.items()}
    decoded = {name: model.codec.decode(x) for name, x in (("degraded", x_t), *made.items())}
    return {"clean": image, **decoded}


def walks(model: ColdDiffusion, image: Tensor, z: Tensor) -> dict[str, Tensor]:
    """How an image (1, C, H, W) goes, and comes back by both samplers: x_t at some timesteps."""
    steps = model.process.steps
    x_0 = model.codec.encode(image)
    x_T, eps = model.degrade(x_0, steps, z)
    kept: dict[str, Trajectory] = {}
    restorer: Any = model.restorer
    for name, kind in (("naive", ColdNaive), ("improved", Cold)):
        walk = like(model, kind, steps).trajectory(restorer, x_T, eps=eps)
        kept[name] = collect(walk, model.codec.decode)
    timesteps = kept["naive"].timesteps
    chosen = torch.linspace(0, len(timesteps) - 1, SHOWN_STEPS).round().long().tolist()
    degraded = [model.degrade(x_0, timesteps[i], z)[0] for i in chosen]
    shown = {"degraded, t = T … 0": torch.cat([model.codec.decode(x) for x in degraded])}
    for name, one in kept.items():
        shown[f"{name}: x_t"] = torch.cat([one.x_t[i] for i in chosen])
        shown[f"{name}: what is taken for x_0"] = torch.cat([one.x_0[i] for i in chosen])
    return shown
