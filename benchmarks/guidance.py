"""What guidance buys and costs: samples read as asked, and their distance, by way and scale.

    python benchmarks/guidance.py [RUN] [--labels 0,0.5,1,2,4] [--guide RUN --guided 1,4,16]
        [--weak RUN --away 0.5,1,2] [--interval 100,700] [--samples 2048] [--steps 20]
        [--out guidance.png]

All rows are of one model of images, start from the same noise and ask for the same classes, in the
proportions of the training images. Each says by which settings of `evaluate.py` it is had:

| way | |
|---|---|
| none | no guidance |
| labels | classifier-free, w of --labels; not of a model that hears none: --labels 0 |
| classifier | by the noisy classifier --guide, λ of --guided, without the labels' guidance |
| both | the same λ and the first w above 0 |
| weaker | away from the run --weak, scales of --away |
| interval | the labels' guidance again, within these timesteps alone |

Choose a scale by the distance to the training images. Ways that are not asked for are left out. The
figure has a curve for each way; right and low is good. Where the network knows no labels and
nothing guides it, nothing is asked and the share that is read as asked is not there.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from rows import Rows

from diffstn.build import build_data, load_model
from diffstn.cli.overrides import apply_overrides
from diffstn.figures.trade_off import trade_off
from diffstn.hardware import choose_hardware
from diffstn.store.migration import with_room
from diffstn.store.run_folder import open_run
from diffstn.tasks.features import choose_features
from diffstn.tasks.generate_images import image_generation
from diffstn.tasks.set_distances import check_samples


def numbers(text: str) -> list[float]:
    return [float(one) for one in text.split(",") if one]


def ways(options: argparse.Namespace) -> Iterator[tuple[str, float, list[str]]]:
    """Name, scale and settings of all that is asked for."""
    scales = [w for w in numbers(options.labels) if w > 0]
    yield "none", 0, ["model.guidance_scale=0"]
    for w in scales:
        yield "labels", w, [f"model.guidance_scale={w:g}"]
    if options.guide:
        for also in (0, *scales[:1]):
            for scale in numbers(options.guided):
                guide = [f"model.guide={options.guide}", f"model.guide_scale={scale:g}"]
                words = [f"model.guidance_scale={also:g}", *guide]
                yield "both" if also else "classifier", scale, words
    if options.weak:
        for scale in numbers(options.away):
            weak = [f"model.weak={options.weak}", f"model.weak_scale={scale:g}"]
            yield "weaker", scale, ["model.guidance_scale=0", *weak]
    if options.interval:
        within = f"model.guidance_interval=[{options.interval}]"
        for w in scales:
            yield "interval", w, [f"model.guidance_scale={w:g}", within]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("run", nargs="?", default="pretrained/mnist_unet")
    parser.add_argument("--labels", default="0,0.5,1,2,4", help="w")
    parser.add_argument("--guide", help="run of model=noisy_classifier")
    parser.add_argument("--guided", default="1,4,16", help="scales of --guide")
    parser.add_argument("--weak", help="run of a weaker model")
    parser.add_argument("--away", default="0.5,1,2", help="scales of --weak")
    parser.add_argument("--interval", help="FIRST,LAST timestep of the labels' guidance")
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--steps", type=int, help="of the sampler; default: the run's")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="guidance.png")
    options = parser.parse_args(arguments)
    run, hardware = open_run(options.run), choose_hardware()
    walk = [] if options.steps is None else [f"sampler.steps={options.steps}"]
    config = apply_overrides(run.read_config(), walk)
    data: Any = build_data(config)
    features = choose_features(None, data.facts)
    check_samples(options.samples, features, "--samples")
    print(f"{options.samples} samples, features: {features.name}; {hardware.reason}\n", flush=True)
    header = ["way", "scale", "as asked %", "FID train", "FID test", "recall %", "purity %"]
    rows = Rows([*header, "seconds", "settings"], [10, 5])
    curves: dict[str, list[tuple[float, float, str]]] = {}
    for way, scale, words in ways(options):
        begin = time.perf_counter()
        led = apply_overrides({**config, "model": with_room(config["model"], words)}, words)
        model: Any = load_model(run, config=led).to(hardware.device)
        with hardware.autocast(), torch.inference_mode():
            found = image_generation(
                model, data, features, options.samples, options.seed, options.batch
            )
        train, test = (found["generation"][split] for split in ("train", "test"))
        asked, purity = (found["numbers"].get(name) for name in ("accuracy %", "purity %"))
        seen = asked, train["FID"], test["FID"], test["recall %"], purity
        spent = round(time.perf_counter() - begin)
        cells = ("" if number is None else number for number in seen)
        rows.add(way, f"{scale:g}", *cells, spent, " ".join(words))
        if asked is not None:
            curves.setdefault(way, []).append((asked, test["FID"], f"{scale:g}"))
    if curves:
        print("\nwrote", trade_off(curves, Path(options.out), "read as asked, %", "FID (test)"))


if __name__ == "__main__":
    main()
