"""What a user buys: digits without labels, by how long the training took.

    pip install -e '.[peers]'
    python benchmarks/time_to_fid.py [--minutes 5,15,30,60] [--seeds 1] [--samples 4096]
        [--steps 20] [--rows ours,diffusers,denoising_diffusion_pytorch] [--rate 1e-3]
        [--out runs/time_to_fid]

Every contender learns anew for each number of minutes, alone on the machine, so that its learning
rate ends where it should. Then it makes so many samples in so many steps, ours and theirs by the
same sampler (`--sampler`, ours or another of `conf/sampler`), and the judge's features give their
Fréchet distance to the test images; the floor is that of as many training images. Rows come as they
are done; what was done stays in --out, is not done again and goes on where it was stopped. Beside
the rows lies a sheet of samples of each, from the same noise, and at the end `fid.png`, distance
against minutes.

| row | |
|---|---|
| ours | `experiment=kinds/mnist` |
| plain | `model=ddpm_unet model.conditional=false` as it comes |
| diffusers, denoising_diffusion_pytorch | by their own recipes, see `peer_ddpms.py` |

`--ours "WORD WORD"` are further settings of ours.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import peer_ddpms
import torch
from equal_time import trained
from hydra.utils import instantiate
from rows import Rows
from torch import Generator
from torchvision.utils import save_image

from diffstn.build import build_data, load_model
from diffstn.figures.contact import contact_sheet
from diffstn.figures.line_plot import line_plot
from diffstn.hardware import choose_hardware
from diffstn.library import compose
from diffstn.tasks.features import choose_features
from diffstn.tasks.generate_images import image_generation

PLAIN = ["model=ddpm_unet", "data=mnist", "model.conditional=false"]
OURS = {"ours": ["experiment=kinds/mnist"], "plain": PLAIN}
SHOWN, AT_ONCE = 64, 256


class Contender(NamedTuple):
    """A model that has learned, for how long, and in how many steps."""

    model: Any
    minutes: float
    steps: int


class Race:
    """What all contenders have in common."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.hardware = options, choose_hardware("auto", "auto")
        self.home = Path(options.out).absolute()
        config = compose([*PLAIN, f"sampler={options.sampler}", f"sampler.steps={options.steps}"])
        self.sampler = instantiate(config["sampler"])
        self.data: Any = build_data(config)
        self.data.setup()
        self.features = choose_features(None, self.data.facts)

    def contender(self, name: str, minutes: float, seed: int) -> Contender:
        """Trained, as far as it is not yet."""
        place, seconds = self.home / f"{minutes:g}_minutes", 60 * minutes
        if name in OURS:
            words = [*OURS[name], *self.options.ours.split()] if name == "ours" else OURS[name]
            words = [*words, f"seed={seed}", "task.track=0", "task.samples=256", "task.per_class=1"]
            run = trained(place / f"{name}_{seed}", words, seconds)
            model: Any = load_model(str(run.path)).to(self.hardware.device)
            model.sampler = self.sampler
            steps = run.read_config()["trainer"]["max_steps"]
            return Contender(model, run.read_json("metrics")["train_seconds"] / 60, steps)
        rows = torch.arange(self.data.count("train"))
        images = (255 * self.data.batch("train", rows, self.hardware.device).image).round().byte()
        found = peer_ddpms.trained(
            place / f"{name}_{seed}.pt",
            name,
            images,
            self.hardware,
            seconds=seconds,
            seed=seed,
            rate=self.options.rate,
        )
        model = peer_ddpms.Generator28(found.denoiser, self.sampler)
        return Contender(model, found.seconds / 60, found.steps)

    def numbers(self, name: str, minutes: float, seed: int) -> dict[str, float]:
        """Of a contender, from the folder if they are there."""
        options = self.options
        how = f"{options.samples}_{options.sampler}{options.steps}"
        kept = self.home / f"{minutes:g}_minutes" / "numbers" / f"{name}_{seed}_{how}.json"
        if not kept.exists():
            one, begin = self.contender(name, minutes, seed), time.perf_counter()
            with self.hardware.autocast(), torch.no_grad():
                found = image_generation(
                    one.model, self.data, self.features, options.samples, 0, AT_ONCE
                )
            spent = time.perf_counter() - begin
            noise = torch.randn(SHOWN, *one.model.noise_shape, generator=Generator().manual_seed(0))
            with self.hardware.autocast(), torch.no_grad():
                made = one.model.generate(noise, None, Generator().manual_seed(1))
            kept.parent.mkdir(parents=True, exist_ok=True)
            save_image(contact_sheet(made.cpu(), columns=16), kept.with_suffix(".png"))
            test = found["generation"]["test"]
            weights = sum(p.numel() for p in one.model.denoiser.network.parameters()) / 1e6
            numbers = {"minutes": one.minutes, "steps": one.steps, "weights": weights}
            numbers |= {"FID": test["FID"], "floor": test["FID floor"], "sampling": spent}
            kept.write_text(json.dumps(numbers))
        return json.loads(kept.read_text())


def main(arguments: Sequence[str] | None = None) -> None:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", default="5,15,30,60")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--samples", type=int, default=4096)
    parser.add_argument("--sampler", default="ddpm")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rows", default=",".join(["ours", *peer_ddpms.PEERS]))
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate of the peers")
    parser.add_argument("--ours", default="", help="further settings of ours")
    parser.add_argument("--out", default="runs/time_to_fid")
    options = parser.parse_args(arguments)
    known = [*OURS, *peer_ddpms.PEERS]
    if unknown := set(options.rows.split(",")) - set(known):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    race = Race(options)
    print(f"{race.hardware.reason}\n")
    header = ["who", "seed", "minutes", "steps", "M weights", "FID test", "floor", "sampling, s"]
    rows = Rows(header, [max(map(len, known))])
    curves: dict[str, dict[int, float]] = {}
    for minutes in map(float, options.minutes.split(",")):
        for seed in map(int, options.seeds.split(",")):
            for name in options.rows.split(","):
                if name in peer_ddpms.PEERS and (missing := peer_ddpms.why_not(name)):
                    rows.add(name, "", "", "", "", missing, "", "")
                    continue
                found = race.numbers(name, minutes, seed)
                spent, steps, weights = (found[key] for key in ("minutes", "steps", "weights"))
                rows.add(
                    *(name, seed, f"{spent:.1f}", steps, f"{weights:.2f}", f"{found['FID']:.2f}"),
                    *(f"{found['floor']:.2f}", f"{found['sampling']:.0f}"),
                )
                if seed == int(options.seeds.split(",")[0]):
                    curves.setdefault(name, {})[round(minutes)] = found["FID"]
    drawn = {name: points for name, points in curves.items() if min(points) > 0}
    if drawn:
        path = race.home / "fid.png"
        print("\nwrote", line_plot(drawn, path, "minutes of training", "FID (test)"))


if __name__ == "__main__":
    main()
