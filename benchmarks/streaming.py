"""What do images cost that are not in memory? Reading alone, and with a training step after it.

Writes a folder of smooth random images (kept for the next time), and reads it in several ways: all
decoded in memory, streamed from the files, and streamed from the cache of decoded images. Each is
timed alone, batches of floats as a training step receives them, and with the step of
`model=ddpm_unet` (default settings, v-prediction, AdamW) after every batch. Contenders take turns;
the median of the rounds counts, and the share is that of the speed of memory in the same round.

    python benchmarks/streaming.py [--images 20000] [--side 64] [--ending jpg] [--workers 2]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rows import Rows

from diffstn.data.modules.images import ImageData
from diffstn.data.modules.streamed import StreamedImages
from diffstn.data.modules.upright import UprightData
from diffstn.data.sources.image_folder import ImageFolder
from diffstn.diffusion import Denoiser, Gaussian, SimpleLoss, gaussian_noise, stratified_timesteps
from diffstn.diffusion.schedules import Cosine
from diffstn.networks.denoisers.unet import UNet


def folder_of(root: Path, images: int, side: int, ending: str) -> Path:
    """A folder with so many files, in ten classes; made where it is not there."""
    folder, rng = root / f"{images}-{side}-{ending}", np.random.default_rng(0)
    for i in range(images):
        path = folder / str(i % 10) / f"{i}.{ending}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
            coarse.resize((side, side), Image.Resampling.BICUBIC).save(path)
    return folder


def batches(data: ImageData) -> Iterator[Any]:
    """Training batches without end, as a step receives them."""
    loader, epoch = data.train_dataloader(), 0
    while True:
        loader.set_epoch(epoch)
        for one in loader:
            yield data.received("train", one)
        epoch += 1


def training_step(side: int) -> Callable[[torch.Tensor], None]:
    """One step of `model=ddpm_unet` on images (B, 3, side, side) in [0, 1]."""
    denoiser = Denoiser(UNet(3, (side, side)), Gaussian(Cosine()), prediction="v")
    loss, optimizer = SimpleLoss(), torch.optim.AdamW(denoiser.parameters(), 1e-3)

    def step(images: torch.Tensor) -> None:
        x_0 = 2 * images - 1
        t = stratified_timesteps((len(x_0),), 1000)
        optimizer.zero_grad()
        loss(denoiser, x_0, t, gaussian_noise(x_0)).mean().backward()
        optimizer.step()

    return step


def timed(source: Iterator[Any], count: int, step: Callable[[torch.Tensor], Any]) -> float:
    """Images per second of so many batches, each followed by a step."""
    images, start = 0, time.perf_counter()
    for _ in range(count):
        image = next(source).image
        step(image)
        images += len(image)
    return images / (time.perf_counter() - start)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default="build/streaming", help="where the images are kept")
    parser.add_argument("--images", type=int, default=20000)
    parser.add_argument("--side", type=int, default=64, help="of the images that come out")
    parser.add_argument("--stored", type=int, help="side of the files; as --side if not given")
    parser.add_argument("--ending", default="jpg", choices=["jpg", "png", "webp"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--reads", type=int, default=150, help="batches of a round")
    parser.add_argument("--steps", type=int, default=2, help="training steps of a round; 0: none")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    stored = options.stored or options.side
    folder = folder_of(Path(options.root), options.images, stored, options.ending)
    source = ImageFolder(str(folder), (options.side, options.side), val=0.01, test=0.01)
    with tempfile.TemporaryDirectory(dir=options.root) as kept:
        words = {"batch_size": options.batch}
        took: dict[str, float] = {}
        contenders: dict[str, ImageData] = {
            "in memory": UprightData(source, **words),
            "streamed": StreamedImages(source, options.workers, **words),
            "streamed, cached": StreamedImages(source, options.workers, kept, **words),
            "cached, no workers": StreamedImages(source, 0, kept, **words),
        }
        for name, data in contenders.items():
            start = time.perf_counter()
            data.setup()
            took[name] = time.perf_counter() - start
        print(f"{options.images} files .{options.ending} of {stored} pixels, read at", end=" ")
        print(f"{options.side}; batches of {options.batch}; images per second\n")
        sources = {name: batches(data) for name, data in contenders.items()}
        parts = {"reading": (options.reads, lambda _: None)}
        if options.steps:
            parts["with a step"] = (options.steps, training_step(options.side))
        rows = Rows(["", "images from", "median", "share of memory's", "prepared in s"], [11, 18])
        for part, (count, step) in parts.items():
            found: list[dict[str, float]] = []
            for _ in range(options.rounds + 1):
                found.append({n: timed(one, count, step) for n, one in sources.items()})
            for name in contenders:
                speed = statistics.median(one[name] for one in found[1:])
                share = statistics.median(one[name] / one["in memory"] for one in found[1:])
                rows.add(part, name, f"{speed:,.1f}", f"{100 * share:.0f} %", f"{took[name]:.1f}")


if __name__ == "__main__":
    main()
