"""Diffusion in the latents of an autoencoder beside diffusion in pixels, at equal training time.

    python benchmarks/latent.py digits|FOLDER [--minutes 30] [--share 0.3] [--seeds 1]
        [--out runs/latent] [--samples 8192] [--overrides "WORD WORD …"]

Of `digits` the images are MNIST's at 28 pixels, of a FOLDER its images, one sub-folder a class, at
64. Four trainings a seed: in pixels for so many minutes; an autoencoder for a share of them; in its
latents for what is left of the minutes, so that all of it took as long; and in its latents for all
the minutes, as where the autoencoder serves many models. Steps follow from the speed at the start
of each, and the minutes in the table are those that it took. The learning rate falls to zero within
each, so none of them is cut off.

Row by row: FID and KID to the training and the test images in our classifier's features, beside the
same of real images (`floor`) and, of an autoencoder, of its reconstructions: what a perfect model
in its latents would reach. Seconds a sample are those of batches of 64. What was done stays in
--out and is not done again. Overrides go to every training, such as data.limit_train=1000.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from equal_time import FEW, seconds_a_sample, trained, words_of_images
from rows import Rows

from diffstn.hardware import choose_hardware

WAYS = ("pixels", "autoencoder", "latent", "latent, autoencoder not counted")


def words_of(way: str, data: str, coder: Path) -> list[str]:
    """The overrides of one training, but for its length."""
    kind = "autoencoder" if way == "autoencoder" else "ddpm_unet"
    name = "mnist" if data == "digits" else "images64"
    words = [f"experiment=latent/{name}{'_autoencoder' * (kind == 'autoencoder')}"]
    if data != "digits":
        words += [f"data.root={data}", FEW]
    if way == "pixels":
        small = [] if data == "digits" else ["data.batch_size=32", "data.eval_batch_size=128"]
        return ["model=ddpm_unet", *words_of_images(data), *small]
    return words if kind == "autoencoder" else [*words, f"codec={coder}"]


def main(arguments: Sequence[str] | None = None) -> None:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="digits, or a folder of images")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--share", type=float, default=0.3, help="of the autoencoder")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--out", default="runs/latent")
    parser.add_argument("--samples", type=int, default=8192)
    parser.add_argument("--overrides", default="", help="of every training")
    asked = parser.parse_args(arguments)
    out = Path(asked.out).absolute() / ("digits" if asked.data == "digits" else "images64")
    print(f"{torch.get_num_threads()} threads, {choose_hardware('auto', 'auto').reason}\n")
    header = ["way", "seed", "minutes", "of the autoencoder", "FID train", "FID test"]
    header += ["KID train", "KID test", "s a sample"]
    rows = Rows(header, [max(map(len, WAYS))])
    floor: dict[str, Any] = {}
    for seed in asked.seeds.split(","):
        home = out / f"{asked.minutes:g}_minutes" / f"seed_{seed}"
        coder, spent = home / "autoencoder", 0.0
        for way in WAYS:
            folder = home / way.split(",")[0].replace(" ", "_")
            seconds = 60 * asked.minutes
            if way == "autoencoder":
                seconds *= asked.share
            elif way == "latent":
                seconds -= spent
            elif way != "pixels":
                folder = home / "latent_alone"
            words = words_of(way, asked.data, coder)
            words += [f"seed={seed}", *asked.overrides.split()]
            if way != "autoencoder":
                words += [f"task.samples={asked.samples}", "task.track=0"]
            metrics = trained(folder, words, seconds).read_json("metrics")
            took = metrics["train_seconds"]
            spent = took if way == "autoencoder" else spent
            coded = spent if way == "latent" else 0.0
            table = metrics["generation"]
            sampled = "" if way == "autoencoder" else f"{seconds_a_sample(folder):.3f}"
            name = "its reconstructions" if way == "autoencoder" else way
            numbers = [f"{table[s][what]:.4g}" for what in ("FID", "KID") for s in table]
            rows.add(
                *(name, seed, f"{(took + coded) / 60:.1f}", f"{coded / 60:.1f}"), *numbers, sampled
            )
            floor = table
    real = [f"{floor[s][f'{what} floor']:.4g}" for what in ("FID", "KID") for s in floor]
    rows.add("real images (floor)", "", "", "", *real, "")


if __name__ == "__main__":
    main()
