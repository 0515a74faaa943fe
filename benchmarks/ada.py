"""A GAN of few images, with adaptive augmentation and without: does its FID turn?

    python benchmarks/ada.py FOLDER [--epochs 160] [--every 8] [--seeds 1] [--out runs/ada]
        [--figure gan_ada.png] [WORDS …]

A thousand images of the FOLDER at 64 pixels. The FID of 1024 samples to the validation images is
taken every few epochs; a row says its first value, its lowest and its last. The figure shows the
curves of the first seed and, beside them, what drives the augmentation: how sure D is of its
training images, and p. What was done stays in --out: the same command with more epochs goes on.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from equal_time import FEW
from rows import Rows

from diffstn.cli.train import train_command
from diffstn.figures.style import CYCLE, PLOT, hexadecimal
from diffstn.store.run_folder import RunFolder

COMMON = [
    *("model=gan", "data=image_folder", "data.image_size=[64,64]", "data.limit_train=1000"),
    *("data.batch_size=32", "optimizer.lr=2e-3", "model.discriminator_lr=1e-2"),
    *("task.track=1024", "task.samples=2048", FEW, "report=false"),
]
WAYS = {
    "with": ["model.augment_target=0.6", "model.augment_thousands=100.0"],
    "without": [],
}
Curve = dict[int, float]


def curve(run: RunFolder, name: str) -> Curve:
    """A number of `metrics.csv` by the epoch, where there is one."""
    with (run.path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {int(row["epoch"]): float(row[name]) for row in rows if row.get(name)}


def plot(runs: dict[str, RunFolder], path: Path) -> None:
    """FID by the epoch at left; E sign D(x), and p where there is one, at right."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    with matplotlib.rc_context(PLOT):
        figure = Figure(figsize=(8, 2.7), dpi=120, layout="constrained")
        left, right = figure.subplots(1, 2)
        for number, (way, run) in enumerate(runs.items()):
            colour = hexadecimal(CYCLE[number])
            fid, sign = curve(run, "val/fid"), curve(run, "train/sign_real")
            left.plot([*fid], [*fid.values()], "o-", color=colour, markersize=3, label=way)
            right.plot([*sign], [*sign.values()], color=colour, label=f"E sign D(x), {way}")
            if p := curve(run, "train/augment_p"):
                line = {"color": hexadecimal(CYCLE[len(runs)]), "label": "p"}
                right.plot([*p], [*p.values()], **line)
        left.set_yscale("log", base=2)
        left.yaxis.set_major_formatter(ScalarFormatter())
        left.yaxis.set_minor_formatter(NullFormatter())
        left.set(xlabel="epoch of 1000 images", ylabel="val/fid")
        right.set(xlabel="epoch of 1000 images", ylim=(0, 1.02))
        left.legend()
        right.legend(fontsize=7, loc="lower right")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> None:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="of images")
    parser.add_argument("--epochs", type=int, default=160)
    parser.add_argument("--every", type=int, default=8, help="epochs between two FIDs")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--out", default="runs/ada")
    parser.add_argument("--figure", default="gan_ada.png")
    asked, further = parser.parse_known_args(arguments)
    sys.argv = sys.argv[:1]  # Hydra reads it
    header = ["ADA", "seed", "first FID", "lowest", "at epoch", "last", "FID train", "FID test"]
    rows = Rows([*header, "recall %, train", "minutes"], [7])
    for seed in asked.seeds.split(","):
        runs: dict[str, RunFolder] = {}
        for way, words in WAYS.items():
            run = runs[way] = RunFolder(Path(asked.out, f"{way}_{seed}"))
            length = [f"epochs={asked.epochs}", f"validate_every={asked.every}", f"seed={seed}"]
            source = f"data.root={asked.folder}"
            code = train_command(
                [*COMMON, source, *words, *length, *further, f"out={run.path}", "resume=auto"]
            )
            if code:
                raise SystemExit(code)
            fid, table = curve(run, "val/fid"), run.read_json("metrics")["generation"]
            best = min(fid, key=lambda epoch: fid[epoch])
            numbers = [fid[min(fid)], fid[best], best, fid[max(fid)]]
            numbers += [table["train"]["FID"], table["test"]["FID"], table["train"]["recall %"]]
            minutes = f"{run.read_json('metrics')['train_seconds'] / 60:.1f}"
            rows.add(way, seed, *(f"{number:.4g}" for number in numbers), minutes)
        if seed == asked.seeds.split(",")[0]:
            plot(runs, Path(asked.figure))
    print(f"wrote {asked.figure}")


if __name__ == "__main__":
    main()
