"""FID of one trained model of images by sampler and number of steps, as a table and a curve.

    python benchmarks/few_steps.py [RUN] [--samples 256] [--samplers ddpm,ddim,deis]
        [--steps 5,10] [--seed 0] [--seconds 120] [--out few_steps.png]

All samplers start from the same noise, each with the spacing of its yaml, and labels come in the
proportions of the training images. A few hundred samples say how long a table takes and no more:
ask for thousands, with `--seconds 0`, for numbers to compare. With --all-steps DDPM is also run
with all its steps, which is what the others are compared with. Langevin's corrections call the
network once more a step.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rows import Rows
from torch import Tensor

from diffstn.build import build_data, instantiated, load_model
from diffstn.cli.overrides import apply_overrides
from diffstn.figures.line_plot import line_plot
from diffstn.hardware import choose_hardware
from diffstn.metrics.images import Moments, RealStatistics, frechet_distance, real_statistics
from diffstn.metrics.images.features import Features
from diffstn.store.run_folder import open_run
from diffstn.tasks.features import choose_features
from diffstn.tasks.sampling import labels_like, sampled_images
from diffstn.tasks.set_distances import check_samples


@torch.inference_mode()
def fid(
    model: Any,
    data: Any,
    features: Features,
    real: RealStatistics,
    samples: int,
    batch: int,
    seed: int = 0,
) -> float:
    """Fréchet distance of so many samples to the real images."""
    moments = Moments(features.size)
    labels = labels_like(data, samples, seed)

    def look(images: Tensor) -> Tensor:
        return features(images).features.cpu()

    for seen, _ in sampled_images(model, labels, seed, batch, look):
        moments.update(seen)
    return float(frechet_distance(*moments.compute(), real.mean, real.covariance))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", default="pretrained/mnist_unet")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--samplers", default="ddpm,ddim,deis")
    parser.add_argument("--steps", default="5,10")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=120, help="in all; 0: as many as it takes")
    parser.add_argument("--all-steps", action="store_true", help="DDPM with every timestep, too")
    parser.add_argument("--out", default="few_steps.png")
    options = parser.parse_args(arguments)
    run, hardware, samples = open_run(options.run), choose_hardware(), options.samples
    config = run.read_config()
    data = build_data(config)
    model: Any = load_model(run).to(hardware.device)
    features = choose_features(None, data.facts)
    check_samples(samples, features, "--samples")
    print(f"{samples} samples against the test images, features: {features.name}\n", flush=True)
    begin = time.perf_counter()
    real = real_statistics(data, "test", features, hardware.device)
    rows = Rows(["sampler", "spacing", "steps", "FID", "seconds"], [14, 9, 5, 6])
    found: dict[str, dict[int, float]] = {}
    longest = 0.0  # of one step
    for name in options.samplers.split(","):
        theirs = instantiated(apply_overrides(config, [f"sampler={name}"])["sampler"], "sampler")
        every = [None] if name == "ddpm" and options.all_steps else []
        for steps in [*map(int, options.steps.split(",")), *every]:
            count = steps or model.denoiser.schedule.steps
            start = time.perf_counter()
            if options.seconds and start - begin + count * longest > options.seconds:
                rows.add(name, theirs.spacing, count, "", "no time")
                continue
            model.sampler = replace(theirs, steps=steps)
            with hardware.autocast():
                value = fid(model, data, features, real, samples, options.batch, options.seed)
            seconds = time.perf_counter() - start
            longest = max(longest, seconds / count)
            found.setdefault(name, {})[count] = value
            rows.add(name, theirs.spacing, count, f"{value:.3f}", f"{seconds:.0f}")
    print("\nwrote", line_plot(found, Path(options.out), "steps", "FID (test)"))


if __name__ == "__main__":
    main()
