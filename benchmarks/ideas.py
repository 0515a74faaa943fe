"""What the sources tried or hoped for, one override each, with equal minutes of training.

    python benchmarks/ideas.py [--minutes 6] [--limit 2000] [--rows "polar;top 3"] [--seed 1]
        [--out runs/ideas]

All are trained in front of `pretrained/digit_judge`, on the same machine for the same time, and
read the same first test digits: how many the judge reads right, in per cent, with one pose and,
where poses are drawn, with the best of sixteen. What was done stays in --out and is not done again.

| row | |
|---|---|
| polar | the encoder that ships, in a frame of moments, as all others but for what is said |
| scattering, low_frequency, canny, steerable | `encoder=`; the last also without a frame |
| top 1, top 3, top 10 | `model.topk=`: the denoiser is told what the judge is surest of |
| two of half the time | `model=pose_ensemble` of seeds 1 and 2 |
| stn, cascaded, parallel | spatial transformers: one, four in a row, three side by side |
| … projective, … thin-plate | ours and the transformer that suits, on `projective` and `elastic` |
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from equal_time import trained
from rows import Rows
from torch import Tensor

from diffstn.build import build, load_model
from diffstn.hardware import choose_hardware
from diffstn.library import compose

JUDGE = "pretrained/digit_judge"
OURS = ["model=diff_in_stn", "optimizer=muon", "optimizer.weight_decay=0.01"]
STN = ["experiment=baseline/stn"]
PROJECTIVE, ELASTIC = "data/distortion=projective", "data/distortion=elastic"
IDEAS: dict[str, list[str]] = {
    "polar": OURS,
    "scattering": [*OURS, "encoder=scattering"],
    "low_frequency": [*OURS, "encoder=low_frequency"],
    "canny": [*OURS, "encoder=canny"],
    "steerable": [*OURS, "encoder=steerable"],
    "steerable, no frame": [*OURS, "encoder=steerable", "frame=canvas"],
    "top 1": [*OURS, "model.topk=1"],
    "top 3": [*OURS, "model.topk=3"],
    "top 10": [*OURS, "model.topk=10"],
    "two of half the time": OURS,
    "stn": STN,
    "cascaded": [*STN, "model.cascade=4", "model.shared=true"],
    "parallel": [*STN, "model.parallel=3"],
    "ours, projective": [*OURS, PROJECTIVE],
    "stn, projective": [*STN, "model.transformation=projective", PROJECTIVE],
    "ours, thin-plate": [*OURS, ELASTIC],
    "stn, thin-plate": [*STN, "model.transformation=tps", ELASTIC],
}
TWO = "two of half the time"
HYPOTHESES = (1, 16)
AT_ONCE = 250


class Found(NamedTuple):
    """Of one idea."""

    minutes: float
    steps: int
    uncorrected: float
    """What the judge reads right in the images as they are, in per cent."""
    accuracy: list[float]
    """The same of corrected ones, for each number of hypotheses that is a choice."""


def words_of(idea: str) -> list[str]:
    """What to train with; on `full` if nothing else is said."""
    words = IDEAS[idea]
    distortion = [] if any("distortion" in word for word in words) else ["data/distortion=full"]
    quick = [f"classifier.run={JUDGE}", "task.limit=250", "task.watch=0", "task.per_class=1"]
    return [*words, *distortion, *quick]


def runs_of(idea: str, options: argparse.Namespace) -> Iterator[Any]:
    """Its trainings: one, or two of half the time."""
    name = idea.replace(", ", "_").replace(" ", "_")
    home = Path(options.out).absolute() / f"{options.minutes:g}_minutes"
    parts = 2 if idea == TWO else 1
    for part in range(parts):
        seed = options.seed + part
        words = [*words_of(idea), f"seed={seed}"]
        yield trained(home / f"{name}_{seed}", words, 60 * options.minutes / parts)


def found(idea: str, options: argparse.Namespace) -> Found:
    """An idea, trained if it is not yet, and what it reads right."""
    runs = list(runs_of(idea, options))
    data = build(compose(words_of(idea))).data
    data.setup()
    hardware = choose_hardware()
    if idea == TWO:
        members = ",".join(f"'{run.path}'" for run in runs)
        asked = ["model=pose_ensemble", f"model.members=[{members}]", "data/distortion=full"]
        model: Any = build(compose([*asked, f"classifier.run={JUDGE}"])).model
    else:
        model = load_model(str(runs[0].path))
    model = model.to(hardware.device).eval()
    draws = model.sample_latents(1, 2).shape[-1] > 0
    batch = data.batch("test", torch.arange(options.limit), hardware.device)
    judge: Any = load_model(JUDGE).to(hardware.device).eval().network
    with torch.inference_mode():
        uncorrected = right(judge(batch.image), batch.label)
    accuracy = []
    for k in HYPOTHESES if draws else HYPOTHESES[:1]:
        read = []
        for rows in torch.arange(options.limit, device=hardware.device).split(AT_ONCE):
            with hardware.autocast():
                read.append(model.classify(batch.image[rows], hypotheses=k, seed=int(rows[0])))
        accuracy.append(right(torch.cat(read), batch.label))
    seconds = sum(run.read_json("metrics")["train_seconds"] for run in runs)
    steps = sum(run.read_config()["trainer"]["max_steps"] for run in runs)
    return Found(seconds / 60, steps, uncorrected, accuracy)


def right(read: Tensor, label: Tensor) -> float:
    """How many of the readings (B, classes) are the labels (B,), in per cent."""
    return 100 * float((read.argmax(-1) == label).float().mean())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--limit", type=int, default=2000, help="test images")
    parser.add_argument("--rows", help="by default all; split by semicolons")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="runs/ideas")
    options = parser.parse_args(arguments)
    wanted = options.rows.split(";") if options.rows else list(IDEAS)
    if wrong := [row for row in wanted if row not in IDEAS]:
        raise SystemExit(f"--rows {wrong[0]}: choose among {'; '.join(IDEAS)}")
    header = ["idea", "minutes", "steps", "as it is %", *(f"k = {k} %" for k in HYPOTHESES)]
    rows = Rows(header, [max(map(len, IDEAS))])
    for idea in wanted:
        one = found(idea, options)
        shares = [f"{share:.2f}" for share in (one.uncorrected, *one.accuracy)]
        rows.add(idea, f"{one.minutes:.1f}", one.steps, *shares, *[""] * (3 - len(shares)))


if __name__ == "__main__":
    main()
