"""FID of one trained model of images by sampler and number of steps, as a table and a curve.

    python benchmarks/few_steps.py runs/<run> [--samples 2048] [--samplers ddpm,ddim,...]
        [--steps 5,10,20,50,100] [--seed 0] [--out few_steps.png]

All samplers start from the same noise, each with the spacing of its yaml, and labels come in the
proportions of the training images. With --all-steps DDPM is also run with all its steps, which
is what the others are compared with. Langevin's corrections call the network once more a step.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from diffstn.runs.assembly import Assembly
from diffstn.runs.feature_choice import choose_features
from diffstn.runs.image_generation import check_samples, generated_images, labels_to_draw
from diffstn.runs.overrides import apply_overrides
from diffstn.runs.real_statistics import real_statistics

from diffstn.figures.line_plot import line_plot
from diffstn.hardware import choose_hardware
from diffstn.metrics.images import Moments, frechet_distance
from diffstn.store.markdown import markdown
from diffstn.store.run_folder import open_run

CONF = Path(__file__).parents[1] / "conf"


@torch.inference_mode()
def fid(
    model: Any, data: Any, features: Any, real: Any, samples: int, batch: int, seed: int = 0
) -> float:
    moments = Moments(features.size)
    labels = labels_to_draw(data, samples, seed)
    for images, _ in generated_images(model, data, labels, seed, batch):
        moments.update(features(images).features.cpu())
    return float(frechet_distance(*moments.compute(), real.mean, real.covariance))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--samplers", default="ddpm,ddim,dpm_solver,sde_dpm_solver,deis,langevin")
    parser.add_argument("--steps", default="5,10,20,50,100")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--all-steps", action="store_true", help="DDPM with every timestep, too")
    parser.add_argument("--out", default="few_steps.png")
    arguments = parser.parse_args()
    run, hardware = open_run(arguments.run), choose_hardware()
    samples = arguments.samples
    wanted = [int(n) for n in arguments.steps.split(",")]
    found: dict[str, dict[int, float]] = {}
    rows = []
    for name in arguments.samplers.split(","):
        every = [None] if name == "ddpm" and arguments.all_steps else []
        for steps in [*wanted, *every]:
            config = apply_overrides(run.read_config(), [f"sampler={name}"], CONF)
            config["sampler"].update(steps=steps, clip=arguments.clip)
            assembly = Assembly.from_run(run, config=config)
            model, data = assembly.model.to(hardware.device), assembly.data
            features = choose_features(None, data)
            check_samples(samples, features)
            real = real_statistics(data, "test", features, hardware.device)
            start = time.perf_counter()
            with hardware.autocast():
                value = fid(model, data, features, real, samples, arguments.batch, arguments.seed)
            count = steps or model.denoiser.schedule.steps
            seconds = time.perf_counter() - start
            found.setdefault(name, {})[count] = value
            rows.append(
                [name, config["sampler"]["spacing"], count, f"{value:.3f}", f"{seconds:.0f}"]
            )
            print("  ".join(map(str, rows[-1])), flush=True)
    print(f"\n{samples} samples against the test images, features: {features.name}\n")
    print(markdown(["sampler", "spacing", "steps", "FID", "seconds"], rows))
    print("wrote", line_plot(found, Path(arguments.out), "steps", "FID (test)"))


if __name__ == "__main__":
    main()
