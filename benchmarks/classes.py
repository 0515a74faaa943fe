"""A class by its embedding, by norms and by an auxiliary classifier, at equal time or steps.

    python benchmarks/classes.py [--minutes 30 | --steps 5000] [--data mnist] [--seeds 1]
        [--rows cbn,ac_frozen] [--samples 8192] [--cas 8192] [--runs runs/classes]
        [--source cifar10.npz] [WORDS …]

Every row is a run in the folder, of as many steps as the minutes allow at the speed that is
measured first, or of so many steps, and one or more ways to sample from it. Numbers are kept
beside the run: what is there already is not done again, and a run that was stopped goes on. WORDS
are further settings of all runs, such as network.width=16.

`--data cifar2` takes automobiles and dogs of CIFAR-10, from the file `--source`.

Below the table stands why: what batch statistics are at one t against those of all, and what the
auxiliary classifier and the judge, which took no part in the training, read in the same x̂_0.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from equal_time import trained
from rows import Rows
from torch import Tensor

from diffstn.build import build_data, load_model
from diffstn.cli.overrides import apply_overrides
from diffstn.figures.contact import contact_sheet
from diffstn.figures.panels import panel_page
from diffstn.hardware import choose_hardware
from diffstn.metrics.images import Seen
from diffstn.models.classified_diffusion import ClassifiedDiffusion
from diffstn.networks.blocks.image_moments import image_moments
from diffstn.networks.blocks.modulated_batch_norm import ModulatedBatchNorm
from diffstn.store.run_folder import RunFolder
from diffstn.tasks.features import choose_features
from diffstn.tasks.generate_images import image_generation
from diffstn.tasks.sampling import labels_like

UNET = ("model=ddpm_unet",)
S4 = ("model.prediction=eps", "model.label_dropout=0")
"""What the source's networks had in common: they predicted ε, and never went without a label."""
BY_NORM = (*UNET, *S4, "network.scale_shift=false")
AC_S4 = ("model=ddpm_ac", *S4, "model.classifier_signal=none", "model.classifier_reads=samples")
AC = ("model=ddpm_ac", "classifier=frozen", "model.classifier_signal=signal")
PLAIN = "as trained"
GUIDED = {
    PLAIN: (),
    "w = 0.25": ("model.guidance_scale=0.25",),
    "w = 0.5": ("model.guidance_scale=0.5",),
}


class Contender(NamedTuple):
    """A way to tell a network the class: words to train with, and words to sample with by name."""

    name: str
    words: tuple[str, ...]
    ways: dict[str, tuple[str, ...]] = GUIDED


CONTENDERS = {
    "embedding": Contender(
        "label embedding", UNET, {**GUIDED, "w = 1": ("model.guidance_scale=1",)}
    ),
    "embedding_s4": Contender("label embedding, eps", (*UNET, *S4), {PLAIN: ()}),
    "cbn": Contender(
        "batch norm by class",
        (*BY_NORM, "network.norm=conditional_batch"),
        {
            "running statistics": (),
            "statistics of the batch": ("network.norm=conditional_live_batch",),
        },
    ),
    "cbn_levels": Contender(
        "batch norm by class and noise level", (*UNET, "network.norm=conditional_batch_by_level")
    ),
    "cbn_v": Contender("batch norm by class, v", (*UNET, "network.norm=conditional_batch")),
    "cgn": Contender("group norm by class", (*UNET, "network.norm=conditional_group")),
    "channel": Contender("label as a channel", (*UNET, "network.label=channel")),
    "ac_random": Contender("classifier, random", (*AC_S4, "classifier=joint"), {PLAIN: ()}),
    "ac_frozen": Contender("classifier, frozen", (*AC_S4, "classifier=frozen"), {PLAIN: ()}),
    "ac_tuned": Contender("classifier, fine-tuned", (*AC_S4, "classifier=fine_tuned"), {PLAIN: ()}),
    "ac": Contender("classifier, mended", AC),
}
DATA = {
    "mnist": ("data=mnist",),
    "cifar2": ("data=cifar10", "data.classes=[automobile,dog]"),
}
AUXILIARY = "auxiliary"
"""Folder of the classifier that teaches; the judge, which measures, is another."""
AUXILIARY_STEPS = 1000


class Overheard:
    """Features that also ask the auxiliary classifier, which the numbers do not see."""

    def __init__(self, features: Any, classifier: Any) -> None:
        self.features, self.classifier = features, classifier
        self.name, self.size = features.name, features.size
        self.classes, self.digest = features.classes, features.digest
        self.read: list[Tensor] = []

    def __call__(self, images: Tensor) -> Seen:
        if self.classifier is not None:
            self.read.append(self.classifier(images).float().argmax(1).cpu())
        return self.features(images)


def numbers(run: RunFolder, words: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    """What samples of a run are like, sampled as the words say."""
    config = apply_overrides(run.read_config(), list(words))
    hardware, data = choose_hardware(), build_data(config)
    data.setup()
    model: Any = load_model(run, config=config).to(hardware.device)
    own = model.classifier if isinstance(model, ClassifiedDiffusion) else None
    features = Overheard(choose_features(None, data.facts), own)
    with torch.inference_mode(), hardware.autocast():
        found = image_generation(model, data, features, options.samples, 0, 500, options.cas)
        if own is not None:
            asked = labels_like(data, options.samples, 0)
            read = torch.cat(features.read)[-options.samples :]
            found["numbers"]["read by its own"] = 100 * float((read == asked).double().mean())
    return {**found["numbers"], "recall %": found["generation"]["test"]["recall %"]}


def kept(run: RunFolder, way: str, words: Sequence[str], options: Any) -> dict[str, Any]:
    """`numbers`, from the run's folder if they are there."""
    path = run.path / "classes.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    key = f"{way}, {options.samples} samples, CAS {options.cas}"
    if key not in known:
        known[key] = numbers(run, words, options)
        path.write_text(json.dumps(known, indent=2))
    return known[key]


def any_of(run: RunFolder) -> Any:
    """The model of a run, of whatever class."""
    return load_model(run)


@torch.no_grad()
def statistics(run: RunFolder) -> None:
    """By t: how far a batch of one t and one class is from the running statistics, and the error.

    The distance of the means is in running standard deviations, the ratio of the variances that to
    the running ones; both are means over channels and norms.
    """
    config = run.read_config()
    data, model = build_data(config), any_of(run)
    data.setup()
    norms = [m for m in model.modules() if isinstance(m, ModulatedBatchNorm)]
    found: list[tuple[float, float]] = []

    def note(norm: Any, inputs: Any) -> None:
        own, within = image_moments(inputs[0])
        mean = own.mean(0)
        variance = (within + (own - mean).square()).mean(0)
        apart = (mean - norm.mean[0]).abs() / (norm.variance[0] + norm.eps).sqrt()
        found.append((float(apart.mean()), float((variance / (norm.variance[0] + 1e-5)).mean())))

    for norm in norms:
        norm.register_forward_pre_hook(note)
    labels = data.labels("test")
    x_0 = model.codec.encode(data.batch("test", (labels == 0).nonzero()[:100, 0]).image)
    steps = model.denoiser.schedule.steps
    print("\nbatch norm: a batch of one t and one class against all t and classes\n", flush=True)
    header = ["t", "means apart, sd", "variance ratio", "error, running", "error, of the batch"]
    table = Rows(header)
    for t in [max(1, round(share * steps)) for share in (0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)]:
        found.clear()
        at, label = torch.full((len(x_0),), t), torch.zeros(len(x_0), dtype=torch.long)
        errors = []
        for live in (False, True):
            for norm in norms:
                norm.live = live
            losses = model.losses_at(at, x_0, label, torch.Generator().manual_seed(0))
            errors.append(float(losses.mean()))
        half = found[: len(norms)]
        mean, ratio = (sum(column) / len(half) for column in zip(*half, strict=True))
        table.add(t, f"{mean:.2f}", f"{ratio:.2f}", *(f"{error:.4f}" for error in errors))


@torch.no_grad()
def by_statistics(run: RunFolder, path: Path, rows: int = 4, together: int = 16) -> Path:
    """Samples of the same weights and the same noise, a column for each class: with running
    statistics, with those of a batch of all classes and of batches of one class."""
    model = any_of(run)
    norms = [m for m in model.modules() if isinstance(m, ModulatedBatchNorm)]
    classes = model.classes
    label = torch.arange(classes).repeat(together)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((len(label), *model.noise_shape), generator=generator)

    def made(of: Tensor) -> Tensor:
        return model.generate(noise[of], label[of], torch.Generator().manual_seed(0))

    every = torch.arange(len(label))
    few = every[: rows * classes]
    running = made(few)
    for norm in norms:
        norm.live = True
    mixed, single = made(every), torch.empty_like(noise)
    for one in range(classes):
        single[label == one] = made(every[label == one])
    titles = [
        "running statistics",
        f"statistics of a batch of {len(label)}, all classes",
        f"statistics of batches of {together}, one class each",
    ]
    images = [running, mixed[: len(few)], single[: len(few)]]
    blocks = torch.stack([contact_sheet(x.clamp(0, 1), classes, 2, 1) for x in images])
    return panel_page(blocks, path, titles, 1)


@torch.no_grad()
def readings(name: str, run: RunFolder) -> None:
    """By t: who reads the class that was told in x̂_0 of images of another class."""
    config = run.read_config()
    data, model = build_data(config), any_of(run)
    data.setup()
    judge: Any = choose_features(None, data.facts)
    known = list(judge.classes)
    columns = [known.index(one) for one in data.facts.classes]
    batch = data.batch("test", torch.arange(500))
    x_0, classes = model.codec.encode(batch.image), len(data.facts.classes)
    told = (batch.label + 1 + torch.arange(500) % (classes - 1)) % classes
    schedule = model.denoiser.schedule
    print(f"\n{name}: share read as told in x̂_0 of an image of another class, %\n", flush=True)
    table = Rows(["t", "alpha_bar", "its own classifier", "the judge"])
    for share in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0):
        t = torch.full((500,), max(1, round(share * schedule.steps)))
        eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(0))
        said = model.denoiser(schedule.add_noise(x_0, t, eps), t, label=told).x_0
        own = model.read(said).argmax(1)
        seen = judge(model.codec.decode(said)).logits[:, columns].argmax(1)
        shares = (100 * float((read == told).double().mean()) for read in (own, seen))
        alpha_bar = float(schedule.alpha_bar(t[:1]))
        table.add(int(t[0]), f"{alpha_bar:.2g}", *(f"{value:.1f}" for value in shares))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--steps", type=int, default=0, help="equal steps, not minutes")
    parser.add_argument("--data", choices=list(DATA), default="mnist")
    parser.add_argument("--source", help="of cifar2: the npz file")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--rows", default=",".join(CONTENDERS))
    parser.add_argument("--samples", type=int, default=8192)
    parser.add_argument("--cas", type=int, default=8192)
    parser.add_argument("--runs", default="runs/classes")
    options, words = parser.parse_known_args(arguments)
    chosen = options.rows.split(",")
    if unknown := set(chosen) - set(CONTENDERS):
        parser.error(f"--rows {unknown.pop()}: choose of {', '.join(CONTENDERS)}")
    data = [*DATA[options.data], *([f"data.source={options.source}"] if options.source else [])]
    quick = ["task.track=0", "task.per_class=2", "task.samples=512"]
    top = (Path(options.runs) / options.data).absolute()
    auxiliary = trained(
        top / AUXILIARY,
        ["model=classifier", *data, "encoder=lenet", "seed=9", "evaluate.checkpoint=last"],
        60 * min(options.minutes, max(1.0, options.minutes / 10)),
        min(options.steps, AUXILIARY_STEPS),
    )
    header = ["class by", "sampled", "seed", "steps", "as asked %", "read by its own %"]
    header += ["FID test", "recall %", "IS", "CAS %", "purity %", "among real %"]
    table = Rows(header, [35, 23])
    runs: dict[str, RunFolder] = {}
    for seed in options.seeds.split(","):
        for key in chosen:
            one = CONTENDERS[key]
            its = [*data, *one.words, f"seed={seed}", *quick, *words]
            if "model=ddpm_ac" in one.words and "classifier=joint" not in one.words:
                its.append(f"classifier.run={auxiliary.path}")
            runs[key] = run = trained(
                top / f"{key}_{seed}", its, 60 * options.minutes, options.steps
            )
            steps = run.read_config()["trainer"]["max_steps"]
            for way, more in one.ways.items():
                found = kept(run, way, more, options)
                table.add(
                    *(one.name, way, seed, steps, found.get("accuracy %", "")),
                    f"{found['read by its own']:.2f}" if "read by its own" in found else "",
                    *(found["FID test"], found["recall %"], found["inception score"]),
                    *(found.get(name, "") for name in ("CAS %", "purity %", "purity among real %")),
                )
    if "cbn" in runs:
        statistics(runs["cbn"])
        print("\nwrote", by_statistics(runs["cbn"], top / "class_statistics.png"), flush=True)
    for key, run in runs.items():
        if "model=ddpm_ac" in CONTENDERS[key].words:
            readings(CONTENDERS[key].name, run)


if __name__ == "__main__":
    main()
