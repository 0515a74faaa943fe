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
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rows import Rows

from diffstn.build import load_model
from diffstn.hardware import choose_hardware
from diffstn.library import compose
from diffstn.runs.train import seeded
from diffstn.store.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
WARM, TIMED = 3, 12
"""Steps before the clock, and on it."""
WAYS = ("pixels", "autoencoder", "latent", "latent, autoencoder not counted")
AT_ONCE = 64


def words_of(way: str, data: str, coder: Path) -> list[str]:
    """The overrides of one training, but for its length."""
    kind = "autoencoder" if way == "autoencoder" else "ddpm_unet"
    if data == "digits":
        words = [f"experiment=latent/mnist{'_autoencoder' * (kind == 'autoencoder')}"]
        shape = ["data=mnist"]
    else:
        words = [f"experiment=latent/images64{'_autoencoder' * (kind == 'autoencoder')}"]
        shape = ["data=image_folder", "data.image_size=[64,64]", f"data.root={data}"]
        words.append(f"data.root={data}")
    if way == "pixels":
        small = [] if data == "digits" else ["data.batch_size=32", "data.eval_batch_size=128"]
        return ["model=ddpm_unet", *shape, *small]
    return words if kind == "autoencoder" else [*words, f"codec={coder}"]


def seconds_of_a_step(words: Sequence[str]) -> float:
    """Of training, the median over a few."""
    config = compose([*words, "report=false"])
    hardware = choose_hardware(config["trainer"]["accelerator"], config["trainer"]["precision"])
    built = seeded(config)
    model: Any = built.model
    data = built.data
    data.setup()
    model.to(hardware.device).train()
    model.log = model.log_dict = lambda *_, **__: None
    made = model.optimizer_factory([p for p in model.parameters() if p.requires_grad])
    rows = torch.randint(data.count("train"), (data.batch_size,))
    times = []
    for i in range(WARM + TIMED):
        start = time.perf_counter()
        with hardware.autocast():
            loss = model.training_step(data.batch("train", rows, hardware.device), i)
        loss.backward()
        made.step()
        made.zero_grad()
        float(loss.detach())
        times.append(time.perf_counter() - start)
    return sorted(times[WARM:])[TIMED // 2]


def trained(folder: Path, words: Sequence[str], seconds: float) -> dict[str, Any]:
    """The metrics of a run of about so many seconds, trained unless it was before."""
    run = RunFolder(folder)
    if not (folder / "metrics.json").exists():
        begun = run.config.exists()
        if not begun:
            steps = max(1, round(seconds / seconds_of_a_step(words)))
            words = [*words, f"trainer.max_steps={steps}", "validate_every=1000000"]
        again = ["resume=true"] if begun else words
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f"{folder.name}.log").open("a") as log:
            asked = [sys.executable, str(ROOT / "train.py"), *again, f"out={folder}"]
            subprocess.run([*asked, "report=false"], stdout=log, stderr=log, check=True)
    return run.read_json("metrics")


def seconds_a_sample(folder: Path) -> float:
    """Of one image, in batches; measured once and kept."""
    kept = folder / "seconds_a_sample.json"
    if not kept.exists():
        hardware = choose_hardware("auto", "auto")
        model: Any = load_model(str(folder)).to(hardware.device)
        with hardware.autocast():
            model.sample(AT_ONCE, batch_size=AT_ONCE)
            start = time.perf_counter()
            model.sample(AT_ONCE, batch_size=AT_ONCE)
        kept.write_text(json.dumps((time.perf_counter() - start) / AT_ONCE))
    return float(json.loads(kept.read_text()))


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
            metrics = trained(folder, words, seconds)
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
