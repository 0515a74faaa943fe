"""A GAN beside a DDPM, at equal training time.

    python benchmarks/gan_beside_ddpm.py digits|FOLDER [--minutes 60] [--seeds 1] [--out runs/gan]
        [--samples 8192] [--gan "WORD WORD …"] [--ddpm "WORD WORD …"] [--only gan]

Of `digits` the images are MNIST's at 28 pixels, of a FOLDER its images at 64. Both are told the
class where there are several. Rows as they come: FID and KID to the test images in our classifier's
features, precision, recall, the median distance of 60 samples to the nearest training image, and
seconds a sample in batches of 64; at the end the same of real test images, as far as they have it.
What was done stays in --out and is not done again; samples, interpolations and nearest training
images are in the `figures` of each run. WORDS are further settings of one of the two.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from equal_time import seconds_a_sample, trained, words_of_images
from rows import Rows

from diffstn.build import build_data, load_model
from diffstn.hardware import choose_hardware
from diffstn.store.run_folder import open_run
from diffstn.tasks.memorisation import LOOKED_AT, nearest
from diffstn.tasks.sampling import labels_like

WAYS = {
    "gan": ["model=gan", "model.conditional=true", "lr_scheduler=cosine"],
    "ddpm": ["model=ddpm_unet"],
}


@torch.no_grad()
def distances(folder: Path) -> tuple[float, float]:
    """The median distance of samples, and of test images, to the nearest training image."""
    model: Any = load_model(str(folder))
    data = build_data(open_run(str(folder)).read_config())
    data.setup()
    label = labels_like(data, LOOKED_AT, 0) if model.hears_label else None
    real = data.batch("test", torch.arange(min(LOOKED_AT, data.count("test")))).image
    found = (nearest(images, data)[0] for images in (model.sample(LOOKED_AT, label), real))
    ours, theirs = (float(one.median()) for one in found)
    return ours, theirs


def main(arguments: Sequence[str] | None = None) -> None:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="digits, or a folder of images")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--out", default="runs/gan")
    parser.add_argument("--samples", type=int, default=8192)
    parser.add_argument("--gan", default="", help="settings of the GAN")
    parser.add_argument("--ddpm", default="", help="settings of the DDPM")
    parser.add_argument("--only", choices=list(WAYS))
    asked = parser.parse_args(arguments)
    home = Path(asked.out).absolute() / ("digits" if asked.data == "digits" else "images64")
    print(f"{torch.get_num_threads()} threads, {choose_hardware('auto', 'auto').reason}\n")
    header = ["model", "seed", "minutes", "FID test", "KID test", "precision %", "recall %"]
    rows = Rows([*header, "nearest training image", "s a sample"], [len("real images")])
    floor: Sequence[str] = ()
    for seed in asked.seeds.split(","):
        for way in [asked.only] if asked.only else WAYS:
            folder = home / f"{asked.minutes:g}_minutes" / f"{way}_{seed}"
            words = [*WAYS[way], *words_of_images(asked.data), f"seed={seed}"]
            words += [f"task.samples={asked.samples}", "task.track=0", *getattr(asked, way).split()]
            metrics = trained(folder, words, 60 * asked.minutes).read_json("metrics")
            test, (near, real) = metrics["generation"]["test"], distances(folder)
            numbers = [f"{test[name]:.4g}" for name in ("FID", "KID", "precision %", "recall %")]
            minutes = f"{metrics['train_seconds'] / 60:.1f}"
            rows.add(way, seed, minutes, *numbers, f"{near:.2f}", f"{seconds_a_sample(folder):.4f}")
            floor = [f"{test[f'{name} floor']:.4g}" for name in ("FID", "KID")]
            floor = [*floor, "", "", f"{real:.2f}"]
    rows.add("real images", "", "", *floor, "")


if __name__ == "__main__":
    main()
