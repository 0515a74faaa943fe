"""Images through an autoencoder and back."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from diffstn.annotations import AtLeast, Count
from diffstn.data.labelled import Labelled
from diffstn.errors import UserError
from diffstn.figures.contact import contact_sheet
from diffstn.figures.panels import panel_page
from diffstn.metrics.images import Features, Moments, frechet_distance, real_statistics
from diffstn.metrics.images.image_error import ImageError
from diffstn.models.autoencoder import Autoencoder
from diffstn.networks.regularisations.vq import perplexity
from diffstn.store.markdown import markdown, rows_by_name
from diffstn.tasks.batches import answers
from diffstn.tasks.features import choose_features
from diffstn.tasks.rounded import rounded
from diffstn.tasks.set_distances import check_real_images, check_samples, distance_table
from diffstn.tasks.task import Figure, Task

COLUMNS = 10
WIDTH = 960


class Answer(NamedTuple):
    """To a batch of B images."""

    features: Tensor
    """(B, D), of the reconstructions."""
    images: Tensor
    """(B, C, H, W), reconstructed."""
    truth: Tensor
    latent: Tensor
    """(B, c, h, w)."""
    codes: Tensor
    """(B, h, w), or (0,) without a codebook."""


@dataclass(frozen=True, kw_only=True)
class Reconstruct(Task):
    """PSNR and SSIM of the test images, Fréchet distances of reconstructions, and the latents.

    `rFID` compares the reconstructions of the test images with these images. The two rows of
    `generation` are those of `GenerateImages`, with reconstructions in the place of samples: what
    a perfect diffusion model in these latents would reach, beside the floor of real images.

    Args:
        samples: of how many images of a split the distances are taken; None: of all; 0: there are
            none, for sets of few images.
        features, inception_weights: see `GenerateImages`.
        batch_size: images at once.
        shown: images on the page.
    """

    samples: Annotated[int, AtLeast(0)] | None = 8192
    features: str | Features | None = None
    inception_weights: str | None = None
    batch_size: Count = 250
    shown: Count = 20

    def check(self, model: Any, data: Any) -> None:
        if not isinstance(model, Autoencoder):
            raise UserError(
                f"task=reconstruct is none for {type(model).__name__}: it asks for"
                " model=autoencoder"
            )
        if self.samples == 0:
            return
        features = choose_features(self.features, data.facts, self.inception_weights)
        if self.samples:
            check_samples(self.samples, features)
        if data.is_loaded:
            check_real_images(data)
            for split in ("train", "test"):
                if (count := self.total(data, split)) <= features.size:
                    raise UserError(
                        f"the {split} split has {count} images, and a Fréchet distance in"
                        f" {features.size} features ({features.name}) needs more than that: use"
                        f" more of them (data.limit_{split}), task.features of fewer numbers, or"
                        " task.samples=0 for no distances"
                    )

    def total(self, data: Any, split: str) -> int:
        """How many images of a split are reconstructed."""
        return min(data.count(split), self.samples or data.count(split))

    def measure(self, model: Autoencoder, data: Any, seed: int = 0) -> dict[str, Any]:
        start = time.perf_counter()
        device, coder = model.device, model.coder
        features = None
        if self.samples != 0:
            features = choose_features(self.features, data.facts, self.inception_weights)
        error, spread = ImageError(sync_on_compute=False), Spread(coder.latent_shape[0])

        def coded(rows: slice, batch: Any) -> Answer:
            latent = coder.encode(batch.image)
            codes = coder.regularisation.codes(latent)
            images = coder.decode(latent)
            codes = latent.new_empty(0) if codes is None else codes
            seen = features(images).features if features else latent.new_empty(len(latent), 0)
            answer = (seen, images, batch.image, latent, codes)
            return Answer(*(part.cpu() for part in answer))

        found: dict[str, Tensor] = {}
        used: list[Tensor] = []
        for split in ("test", "train") if features else ("test",):
            seen = []
            total = self.total(data, split)
            for one in answers(data, split, total, self.batch_size, device, coded):
                seen.append(one.features)
                if split == "test":
                    error.update(one.images, one.truth)
                    spread.update(one.latent)
                    used.append(one.codes.flatten().long())
            found[split] = torch.cat(seen)
        images = error.rounded()
        numbers = {"PSNR dB": rounded(images["psnr_db"]), "SSIM": rounded(images["ssim"])}
        result: dict[str, Any] = {}
        protocol: dict[str, Any] = {"split": "test"}
        if features:
            table, same = reconstruction(found, data, features, device, seed)
            numbers |= {
                "rFID": same,
                **{f"FID {split}": row["FID"] for split, row in table.items()},
            }
            result = {"generation": table, "features": features.name}
            protocol["features"] = features.name
        if len(every := torch.cat(used)):
            codes = len(coder.regularisation.number)
            counts = torch.bincount(every, minlength=codes).float()
            numbers["codes used %"] = rounded(100 * (counts > 0).float().mean())
            numbers["perplexity"] = rounded(perplexity(counts))
        totals = {split: len(one) for split, one in found.items()}
        return {
            **result,
            "numbers": numbers,
            "latent": {"shape": list(coder.latent_shape), **spread.found()},
            "protocol": {**protocol, "reconstructed": totals},
            "images": totals["test"],
            "seconds": round(time.perf_counter() - start, 1),
        }

    def table(self, metrics: Mapping[str, Any]) -> str:
        further = {k: v for k, v in metrics["numbers"].items() if not k.startswith("FID")}
        latent = metrics["latent"]
        channels = [
            (i, *pair) for i, pair in enumerate(zip(latent["mean"], latent["std"], strict=True))
        ]
        c, h, w = latent["shape"]
        tables = [rows_by_name(metrics["generation"])] if "generation" in metrics else []
        return "\n\n".join(
            [
                *tables,
                markdown(list(further), [list(further.values())]),
                markdown([f"channel of {c} x {h} x {w}", "mean", "std"], channels),
            ]
        )

    def plot(self, model: Autoencoder, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """Test images above their reconstructions, and what the latents of some look like."""
        rows = torch.arange(min(self.shown, data.count("test")))
        image = data.batch("test", rows, model.device).image
        latent = model.coder.encode(image)
        made = model.coder.decode(latent)
        scale = max(1, WIDTH // COLUMNS // image.shape[-1])
        blocks: list[Tensor] = []
        titles: list[str] = []
        for some in rows.split(COLUMNS):
            block = torch.cat([image[some], made[some]])
            blocks.append(contact_sheet(block, len(some), scale))
            titles.append("" if titles else "images, and below them what comes back")
        whole = [block for block in blocks if block.shape == blocks[0].shape]
        page = panel_page(
            torch.stack(whole), folder / "reconstructions.png", titles[: len(whole)], 1
        )
        return [("reconstructions", page), ("latents", latent_page(image, latent, made, folder))]

    def to_keep(self, model: Autoencoder, data: Any, n: int, seed: int = 0) -> Labelled:
        """The first n test images, reconstructed."""
        made, labels = [], []
        for rows in torch.arange(min(n, data.count("test"))).split(self.batch_size):
            batch = data.batch("test", rows, model.device)
            made.append(model(batch.image).cpu())
            labels.append(batch.label.cpu())
        return Labelled(torch.cat(made), torch.cat(labels))


def reconstruction(
    found: Mapping[str, Tensor], data: Any, features: Features, device: torch.device, seed: int
) -> tuple[dict[str, dict[str, float]], float]:
    """The rows of reconstructions against either split, and the distance of those of the test
    images to these images.

    Args:
        found: features (N, D) of the reconstructions of a split's first N images, by split.
    """
    real = {split: real_statistics(data, split, features, device) for split in ("train", "test")}
    table = distance_table(real, {"train": found["test"], "test": found["train"]}, seed)
    moments = Moments(features.size, sync_on_compute=False)
    moments.update(found["test"])
    same = frechet_distance(*moments.compute(), real["test"].mean, real["test"].covariance)
    return table, rounded(same)


class Spread:
    """Mean and deviation of each channel of latents (B, c, h, w), in float64."""

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.sum, self.square = torch.zeros(2, channels, dtype=torch.float64)

    def update(self, latent: Tensor) -> None:
        places = latent.double().movedim(1, -1).flatten(0, -2)
        self.count += len(places)
        self.sum += places.sum(0)
        self.square += places.square().sum(0)

    def found(self) -> dict[str, list[float]]:
        """For the table."""
        mean = self.sum / self.count
        std = (self.square / self.count - mean.square()).clamp_min(0).sqrt()
        return {"mean": [rounded(v) for v in mean], "std": [rounded(v) for v in std]}


def latent_page(image: Tensor, latent: Tensor, made: Tensor, folder: Path) -> Path:
    """Images, the channels of their latents, three deviations to either side, and what comes back.

    Shapes: image, made (B, C, H, W); latent (B, c, h, w).
    """
    some = slice(0, COLUMNS)
    mean = latent.mean((0, 2, 3), keepdim=True)
    std = latent.std((0, 2, 3), keepdim=True).clamp_min(1e-8)
    grey = (0.5 + (latent - mean) / (6 * std)).clamp(0, 1)[some]
    size = image.shape[-2:]
    channels = [
        F.interpolate(one[:, None], size, mode="nearest").expand(-1, image.shape[1], -1, -1)
        for one in grey.unbind(1)
    ]
    scale = max(1, WIDTH // COLUMNS // size[1])
    rows = [image[some], *channels, made[some]]
    titles = ["image", *(f"channel {i}" for i in range(len(channels))), "what comes back"]
    blocks = torch.stack([contact_sheet(row, len(row), scale) for row in rows])
    return panel_page(blocks, folder / "latents.png", titles, 1)
