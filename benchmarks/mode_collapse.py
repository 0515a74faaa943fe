"""Modes that GANs and a diffusion model find in a ring of 8 and a grid of 25 Gaussians.

    python benchmarks/mode_collapse.py [--steps 10000] [--seeds 1,2] [--out mode_collapse.png]
        [--shapes ring8,grid25] [--models vanilla,unrolled,wgan_gp,r1,ddpm]

Each is trained for so many steps of its generator, or of the denoiser, and asked for 10 000 points.
A mode is found if a fifth of the points that it should have lie within 3 standard deviations of its
centre, and points are good that lie so near to a centre. A row says the seconds of its training,
which differ: WGAN-GP takes 5 steps of its discriminator for one, and unrolling foresees 5.
"""

import argparse
import contextlib
import io
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rows import Rows
from torch import Tensor

from diffstn.build import load_model
from diffstn.cli.conf import training_config
from diffstn.data.modules.shapes import Gaussians, shape
from diffstn.figures.cloud_images import cloud_images
from diffstn.figures.panels import panel_page
from diffstn.metrics.clouds.modes import modes
from diffstn.runs.train import train
from diffstn.store.run_folder import RunFolder
from diffstn.words import closest

POINTS = 10_000
SHOWN = 2000
"""Points on the figure."""
SIDE = 170
GAN = ["model=gan_points", "generator.width=256", "discriminator.width=256"]
ALONE = ["model.discriminator_steps=1", "data.batch_size=256"]
PLAIN = ["model.loss=non_saturating", "model.penalty_weight=0.0"]
MODELS = {
    "vanilla": [*GAN, *ALONE, *PLAIN],
    "unrolled": [*GAN, *ALONE, *PLAIN, "model.unrolled_steps=5"],
    "wgan_gp": [*GAN, "model.penalty_weight=0.1"],
    "r1": [
        *GAN,
        *ALONE,
        *PLAIN,
        "model.penalty_weight=1.0",
        "model.penalty_interval=1",
    ],
    "ddpm": ["model=ddpm_points"],
}


def trained(words: Sequence[str], steps: int, folder: str) -> tuple[Any, float]:
    """The model after so many steps, and the seconds that its training took."""
    batch = training_config(list(words))["data"]["batch_size"]
    length = [f"data.train={steps * batch}", "epochs=1", "data.val=1000"]
    short = ["data.eval_batch_size=1000", "task.samples=100", "report=false", "accelerator=cpu"]
    config = training_config([*words, *length, *short, f"out={folder}"])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        numbers = train(config, RunFolder(folder))
    return load_model(RunFolder(folder)), float(numbers["train_seconds"])


def chosen(parser: argparse.ArgumentParser, words: str, known: Sequence[str]) -> list[str]:
    """Words between commas, each of them known."""
    names = words.split(",")
    for name in names:
        if name not in known:
            parser.error(f"no '{name}'; {closest(name, known)}")
    return names


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--shapes", default="ring8,grid25")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--out", default="mode_collapse.png")
    options = parser.parse_args(arguments)
    names = chosen(parser, options.models, list(MODELS))
    shapes = chosen(parser, options.shapes, ["ring8", "grid25"])
    seeds = [int(seed) for seed in options.seeds.split(",")]
    begin = time.perf_counter()
    print(f"{options.steps} steps, {POINTS} points\n", flush=True)
    header = ["mixture", "model", "seed", "modes found", "good points %", "seconds"]
    rows = Rows(header, [7, 8])
    pages: list[Tensor] = []
    titles: list[str] = []
    for name in shapes:
        mixture = shape(name)
        assert isinstance(mixture, Gaussians)
        pages.append(mixture.draw(SHOWN, torch.Generator().manual_seed(0)))
        titles.append(f"{name}, data")
        for model in names:
            for seed in seeds:
                words = [*MODELS[model], f"data.shape={name}", f"seed={seed}"]
                with tempfile.TemporaryDirectory() as folder:
                    made, seconds = trained(words, options.steps, f"{folder}/run")
                points = made.sample(POINTS, seed=seed, batch_size=POINTS)
                found, good = modes(points, mixture.centres, mixture.sd)
                rows.add(name, model, seed, found, f"{100 * good:.1f}", f"{seconds:.0f}")
                if seed == seeds[0]:
                    pages.append(points[:SHOWN])
                    titles.append(f"{model}, {found} modes")
                    if len(pages) % (len(names) + 1) == 0:
                        page(pages, titles, Path(options.out), len(names) + 1)
    page(pages, titles, Path(options.out), len(names) + 1)
    print(f"\n{(time.perf_counter() - begin) / 60:.1f} minutes in all; wrote {options.out}")


def page(clouds: Sequence[Tensor], titles: Sequence[str], path: Path, columns: int) -> None:
    """Write the figure of what there is so far."""
    panel_page(cloud_images(torch.stack(list(clouds)), SIDE), path, titles, columns)


if __name__ == "__main__":
    main()
