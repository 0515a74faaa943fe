"""All ways to correct an image, on the same images, in front of the same frozen judge.

    python benchmarks/correctors.py [--data digits] [--distortion eight_rotations] [--minutes 5]
        [--limit 2000] [--seeds 1] [--rows ours,stn] [--out runs/correctors]
    python benchmarks/correctors.py --data cifar --source cifar10.npz [--judge RUN]

Distortions are those of `data/distortion`. Whatever learns has as many minutes of training on the
same machine; where other work runs beside, look at the steps too. Every row is the accuracy on the
first test images, and milliseconds an image, one at a time and in a batch (`--batch`), the median
of single calls, judge and all. What was done stays in --out and is not done again.

| row | |
|---|---|
| uncorrected, oracle | the judge on images as they are, and turned back by the true pose |
| shipped | `pretrained/diff_in_stn_full`, trained on distortions of its own; digits only |
| ours | `model=diff_in_stn` with Muon, one hypothesis and sixteen |
| from_judge | the same, its encoder begun as that of the judge; photographs only |
| regression, stn, end_to_end | the same encoder; the last is a classifier of its own, no judge |
| group, opt_group, opt_steerable | the peer `equiadapt`, where it is installed |
| search | `model=pose_search`: where the judge is surest; nothing is trained |

The peer's canonicalisers undo rotations alone and know that there is nothing else to undo, the
first two also by which angles. The search is told so, too, of photographs that are only turned.
All others learn or search all six numbers of an affine map. See
`canonicalisers.py` for their recipe; `--channels` is the width of the first.

CIFAR-10's photographs are reflected at the rim of their inscribed disc (`data.disc=mirrored`), for
their corners would tell the angle, and turned by a bicubic kernel. On them all of ours have
`encoder=whitened`, see the canvas (`frame=canvas`) and learn from batches of 64, since minutes
hold few larger ones: `from_judge` read 46 % of 250 images after 180 steps of 256, and 74 % after
720 of 64 (any rotation, one hypothesis). On digits they are told where their frame
lies, which those see that look at the canvas (`encoder.place=true`; docs/results.md, the half
pixel). `--judge` names another judge than the one that ships.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import canonicalisers
import torch
from equal_time import trained
from rows import Rows
from torch import Tensor

from diffstn.build import build, build_data, load_model
from diffstn.data.batches import DistortedBatch
from diffstn.hardware import Hardware, choose_hardware
from diffstn.library import compose
from diffstn.spatial import warp

OURS = ["model=diff_in_stn", "optimizer=muon", "optimizer.weight_decay=0.01"]
LEARNING = {
    "ours": OURS,
    "from_judge": [*OURS, "ckpt_parts={network.encoder.encoder:encoder.encoder}"],
    "regression": ["model=pose_regression", "optimizer.lr=0.004"],
    "stn": ["experiment=baseline/stn"],
    "end_to_end": ["experiment=baseline/end_to_end"],
}
"""Words to train with; learning rates as docs/results.md found them."""
ROWS = ("uncorrected", "oracle", "shipped", *LEARNING, *canonicalisers.KINDS, "search")
ROTATIONS = ("rotation", "any_rotation", "eight_rotations")
"""Distortions that do nothing else."""
SHIPPED = "pretrained/diff_in_stn_full"
JUDGES = {"digits": "pretrained/judge", "cifar": "pretrained/cifar_judge"}
HYPOTHESES = (1, 16)
AT_ONCE = 250
SECONDS = 4.0
"""Of single calls on the clock: after so many no further one begins."""

Answer = Callable[[DistortedBatch, int], Tensor]
"""Distorted images and a seed → what is read there, (B, classes). The oracle alone looks at A."""


class Way(NamedTuple):
    """A way to read distorted images."""

    name: str
    seed: str
    minutes: float | None
    """Of training; None: without any, here."""
    steps: int | None
    answer: Answer
    key: str
    """What its numbers are kept under."""


class Setting:
    """The images, the judge, and all that the ways have in common."""

    def __init__(self, options: argparse.Namespace) -> None:
        digits = options.data == "digits"
        judge = options.judge or JUDGES[options.data]
        self.options, self.hardware = options, choose_hardware()
        self.padding = "zeros" if digits else "disc"
        self.upright = ["data=mnist"] if digits else ["data=cifar10", "data.disc=mirrored"]
        if options.source:
            self.upright.append(f"data.source='{Path(options.source).absolute()}'")
        self.words = [self.upright[0].replace("data=", "data=affine_"), *self.upright[1:]]
        self.words += [f"data/distortion={options.distortion}"]
        if not digits:
            self.words += ["data.kernels=[bicubic]", "data.padding=disc"]
        self.judged_by, self.by_judge = judge, [f"classifier.run='{judge}'"]
        searching = ["model=pose_search", f"model.padding={self.padding}", *self.by_judge]
        if not digits:  # what fills its canvas has no content that could be centred
            searching += ["frame=canvas", "model.size=1", "model.kernel=bicubic"]
            searching += ["model.reach=0"] if options.distortion in ROTATIONS else []
        built = build(compose([*searching, *self.words]))
        self.search: Any = built.model.to(self.hardware.device).eval()
        self.judge: Any = self.search.classifier
        built.data.setup()
        rows = torch.arange(min(options.limit, built.data.count("test")))
        self.batch = built.data.batch("test", rows, self.hardware.device)
        self.transformation = built.data.transformation
        out, reader, minutes = Path(options.out).absolute(), Path(judge).name, options.minutes
        self.home = out / f"{options.data}_{options.distortion}_{reader}"
        self.runs = self.home / f"{minutes:g}_minutes"
        self.peers = out / f"{options.data}_upright_{reader}" / f"{minutes:g}_minutes"

    def judged(self, correct: Callable[[DistortedBatch], Tensor]) -> Answer:
        """What the judge reads in images that are corrected so."""

        def answer(batch: DistortedBatch, seed: int) -> Tensor:
            corrected = correct(batch)
            with self.hardware.autocast():
                return self.judge(corrected).float()

        return answer

    def of_model(self, model: Any, **options: Any) -> Answer:
        """What a model of ours reads, in the precision of the hardware."""

        def answer(batch: DistortedBatch, seed: int) -> Tensor:
            told = {**options, "seed": seed} if options else {}
            with self.hardware.autocast():
                return model.classify(batch.image, **told)

        return answer

    def oracle(self, batch: DistortedBatch) -> Tensor:
        """Images corrected by their true pose."""
        size, family = (batch.upright.shape[-2], batch.upright.shape[-1]), self.transformation
        return warp(batch.image, batch.A, family, size, "bicubic", self.padding).clamp(0, 1)

    def ways(self, row: str, seed: str) -> Iterator[Way]:
        """Those of a row, trained if they are not yet."""
        if row == "uncorrected":
            yield Way(row, "", None, None, self.judged(lambda batch: batch.image), row)
        elif row == "oracle":
            yield Way(row, "", None, None, self.judged(self.oracle), row)
        elif row == "search":
            yield Way(row, "", None, None, self.of_model(self.search), row)
        elif row in canonicalisers.KINDS:
            yield self.peer(row, seed)
        else:
            yield from self.own(row, seed)

    def own(self, row: str, seed: str) -> Iterator[Way]:
        """Runs of ours."""
        if row == "shipped":
            for k in HYPOTHESES:
                answer = self.of_model(self.loaded(SHIPPED), hypotheses=k)
                yield Way(f"{row}, k = {k}", "", None, None, answer, f"{row}_k{k}")
            return
        words = [*LEARNING[row], *self.words, f"seed={seed}", "task.limit=250"]
        disc = self.padding == "disc"
        photographs = ["encoder=whitened", "frame=canvas", "data.batch_size=64"]
        words += photographs if disc else ["encoder.place=true"]
        if disc and row != "end_to_end":
            words += ["model.padding=disc"]
        if disc and row in ("ours", "from_judge"):
            # another size reads between pixels
            words += ["model.sizes=[1]", "optimizer.lr=0.002"]
        if row != "end_to_end":
            words += [*self.by_judge, "task.watch=0", "task.per_class=1"]
        if row == "from_judge":
            words += [f"ckpt='{self.judged_by}'"]
        run = trained(self.runs / f"{row}_{seed}", words, 60 * self.options.minutes)
        spent = run.read_json("metrics")["train_seconds"] / 60
        told = seed, spent, run.read_config()["trainer"]["max_steps"]
        model = self.loaded(str(run.path))
        if row in ("ours", "from_judge"):
            for k in HYPOTHESES:
                answer = self.of_model(model, hypotheses=k)
                yield Way(f"{row}, k = {k}", *told, answer, f"{row}_{seed}_k{k}")
        else:
            yield Way(row, *told, self.of_model(model), f"{row}_{seed}")

    def loaded(self, run: str) -> Any:
        """The model of a run, where it is to work."""
        return load_model(run).to(self.hardware.device)

    def peer(self, row: str, seed: str) -> Way:
        """A canonicaliser, trained on upright images, so one for all distortions."""
        data = build_data(compose(["model=classifier", *self.upright]))
        data.setup()
        width = self.options.channels
        name = f"{row}{width}_{seed}" if row == "group" else f"{row}_{seed}"
        model, seconds, steps = canonicalisers.trained(
            self.peers / f"{name}.pt",
            row,
            data,
            self.judge,
            self.hardware,
            seconds=60 * self.options.minutes,
            seed=int(seed),
            channels=width,
        )
        answer = self.judged(lambda batch: model(batch.image))
        return Way(f"equiadapt {row}", seed, seconds / 60, steps, answer, name)

    @torch.inference_mode()
    def measured(self, way: Way) -> dict[str, float]:
        """Accuracy in per cent, and milliseconds an image alone and in a batch."""
        right = 0
        for rows in torch.arange(len(self.batch.label)).split(AT_ONCE):
            part = at(self.batch, rows)
            right += int((way.answer(part, int(rows[0])).argmax(-1) == part.label).sum())
        alone, together = (
            at(self.batch, torch.arange(min(n, len(self.batch.label))))
            for n in (1, self.options.batch)
        )
        calls = self.options.calls
        found = [
            median(partial(way.answer, part, 0), calls, self.hardware) for part in (alone, together)
        ]
        return {
            "accuracy": 100 * right / len(self.batch.label),
            "alone": 1000 * found[0],
            "together": 1000 * found[1] / len(together.label),
        }

    def kept(self, way: Way) -> dict[str, float]:
        """`measured`, from the folder if it is there."""
        place = self.home if way.minutes is None else self.runs
        options = self.options
        path = place / "numbers" / f"{way.key}_{options.limit}_{options.batch}.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self.measured(way)))
        return json.loads(path.read_text())


def at(batch: DistortedBatch, rows: Tensor) -> DistortedBatch:
    """Some of the images, with all that belongs to them."""
    return DistortedBatch(*(one[rows.to(one.device)] for one in batch))


def median(work: Callable[[], object], calls: int, hardware: Hardware) -> float:
    """Seconds of at most so many single calls, after one to warm up."""

    def seconds() -> float:
        start = time.perf_counter()
        work()
        if hardware.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    seconds()
    found, begin = [seconds()], time.perf_counter()
    while len(found) < calls and time.perf_counter() - begin < SECONDS:
        found.append(seconds())
    return statistics.median(found)


def asked_rows(options: argparse.Namespace) -> list[str]:
    """The rows to make, told which are left out.

    Raises:
        SystemExit: there is no such row.
    """
    rows = options.rows.split(",")
    if wrong := [row for row in rows if row not in ROWS]:
        raise SystemExit(f"--rows {wrong[0]}: choose among {', '.join(ROWS)}")
    left_out = {}
    if peers := [row for row in rows if row in canonicalisers.KINDS]:
        left_out = dict.fromkeys(peers, canonicalisers.why_not())
    if options.data != "digits" and "shipped" in rows:
        left_out["shipped"] = f"{SHIPPED} corrects digits"
    if options.data == "digits" and "from_judge" in rows:
        left_out["from_judge"] = "the judge of digits sees squares, the encoder rings"
    for why in sorted({why for why in left_out.values() if why}):
        names = [row for row, said in left_out.items() if said == why]
        print(f"{why}: {', '.join(names)} left out", flush=True)
    return [row for row in rows if not left_out.get(row)]


def main(arguments: Sequence[str] | None = None) -> None:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=list(JUDGES), default="digits")
    parser.add_argument("--source", help="of CIFAR-10, see data.source")
    parser.add_argument("--distortion", default="eight_rotations")
    parser.add_argument("--judge", help="run of a classifier; by default the one that ships")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--limit", type=int, default=2000, help="test images")
    parser.add_argument("--batch", type=int, default=256, help="images at a time, on the clock")
    parser.add_argument("--calls", type=int, default=20, help="single ones, on the clock")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--channels", type=int, default=8, help="width of the peer's `group`")
    parser.add_argument("--out", default="runs/correctors")
    options = parser.parse_args(arguments)
    wanted = asked_rows(options)
    setting = Setting(options)
    print(
        f"{options.data}, {options.distortion}, {len(setting.batch.label)} images;"
        f" {setting.hardware.reason}\n",
        flush=True,
    )
    header = ["way", "seed", "minutes", "steps", "accuracy %", "ms alone", f"ms in {options.batch}"]
    rows, done = Rows(header, [len("equiadapt opt_steerable")]), set()
    for seed in options.seeds.split(","):
        for row in wanted:
            if row in done:
                continue
            for way in setting.ways(row, seed):
                found = setting.kept(way)
                spent = "" if way.minutes is None else f"{way.minutes:.1f}"
                times = [f"{found[name]:.3g}" for name in ("alone", "together")]
                said = way.name, way.seed, spent, way.steps or ""
                rows.add(*said, f"{found['accuracy']:.2f}", *times)
                if way.minutes is None:
                    done.add(row)


if __name__ == "__main__":
    main()
