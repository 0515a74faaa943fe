"""Every format of files that we read: a good file, and what reads it."""

import gzip
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from PIL import Image

from tests.hostile.data import array, good_batch, head, ply
from tests.hostile.weights import torch_bytes, zipped


class Format(NamedTuple):
    """One kind of file."""

    good: tuple[bytes, ...]
    """Files that are fine, to be mutated."""
    name: str
    """What the file is called, below a folder."""
    read: Callable[[Path], Any]
    """Reads the file; may raise what the caller of the reader catches."""
    tree: bool = False
    """Whether it holds nested values that can be exchanged."""


def images() -> list[Format]:
    from diffstn.data.sources.image_folder import read_image

    def read(path: Path) -> None:
        said(lambda: read_image(path, (8, 8), 3))

    def made(form: str, mode: str) -> bytes:
        buffer = io.BytesIO()
        Image.effect_noise((9, 7), 40).convert(mode).save(buffer, form)
        return buffer.getvalue()

    return [
        Format(tuple(made(form, mode) for mode in modes), f"a.{ending}", read)
        for form, ending, modes in (
            ("PNG", "png", ("RGB", "L", "P", "1", "RGBA", "I;16")),
            ("JPEG", "jpg", ("RGB", "L")),
            ("GIF", "gif", ("P", "L")),
            ("BMP", "bmp", ("RGB", "P", "1")),
            ("TIFF", "tif", ("RGB", "L", "F", "I;16")),
            ("WEBP", "webp", ("RGB", "RGBA")),
        )
    ]


def said(work: Callable[[], Any]) -> None:
    """Do what may raise a ValueError that a caller makes a named skip of."""
    try:
        work()
    except ValueError as error:
        if "\n" in str(error):
            raise RuntimeError("more than a line") from error


def clouds() -> list[Format]:
    from diffstn.data.modules.cloud_folder import read_cloud

    points = np.random.default_rng(0).normal(size=(9, 3))
    lines = "\n".join(" ".join(f"{v:.3f}" for v in row) for row in points).encode()
    corners, faces = lines, b"\n3 0 1 2\n3 2 3 4\n"
    good = {
        "a.npy": (array(points), array(points.astype("f4")[:, :2])),
        "a.npz": (zipped({"points.npy": array(points)}), zipped({"x.npy": array(points)}, 8)),
        "a.xyz": (lines,),
        "a.ply": (
            ply(9, 2, corners + faces),
            ply(9, 0, points.astype("<f4").tobytes(), "binary_little_endian"),
            ply(9, 1, points.astype("<f4").tobytes() + b"\3" + b"\0" * 12, "binary_little_endian"),
        ),
        "a.off": (b"OFF\n9 2 0\n" + corners + faces,),
    }

    def read(path: Path) -> None:
        said(lambda: read_cloud(path, 4, torch.Generator().manual_seed(0)))

    return [Format(files, name, read) for name, files in good.items()]


def known_sets() -> list[Format]:
    from diffstn.data.sources.cifar10 import load_cifar10
    from diffstn.data.sources.idx import parse_idx
    from diffstn.data.sources.mnist import load_mnist

    idx = head(8, 2, 28, 28) + bytes(range(256)) * 6 + b"\0" * 32
    label = head(8, 2) + b"\1\2"

    def mnist(path: Path) -> None:
        raw = path.parent / "MNIST" / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        for part in ("train", "t10k"):
            (raw / f"{part}-images-idx3-ubyte.gz").write_bytes(path.read_bytes())
            (raw / f"{part}-labels-idx1-ubyte").write_bytes(label)
        load_mnist(path.parent)

    def cifar(path: Path) -> None:
        folder = path.parent / "cifar-10-batches-py"
        folder.mkdir(exist_ok=True)
        for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
            (folder / name).write_bytes(path.read_bytes())
        load_cifar10(path.parent)

    arrays = {
        f"{part}_{kind}.npy": array(np.zeros(shape, np.uint8))
        for part in ("train", "test")
        for kind, shape in (("images", (2, 32, 32, 3)), ("labels", (2,)))
    }
    batch = good_batch()
    return [
        Format((idx,), "a.idx", lambda path: parse_idx(path.read_bytes(), "a.idx")),
        Format((gzip.compress(idx),), "a.gz", mnist),
        Format((batch, pickle.dumps(pickle.loads(batch), 2)), "batch", cifar),
        Format((zipped(arrays), zipped(arrays, 8)), "a.npz", lambda p: load_cifar10(source=p)),
    ]


def weights(runs: dict[str, Path]) -> list[Format]:
    """Checkpoints are small ones of one layer: what reads them does not know how large they are."""
    from safetensors.torch import save

    from diffstn.metrics.images.inception_features import check_weights
    from diffstn.metrics.images.real_statistics import kept_statistics
    from diffstn.store.carry_on import begin_again, carry_on
    from diffstn.store.checkpoints import trained_weights
    from diffstn.store.run_folder import RunFolder
    from diffstn.store.warm_start import warm_start

    layer = torch.nn.Linear(2, 3)
    state = layer.state_dict()
    progress = {"fit_loop": {"epoch_progress": {"current": {"processed": 1}}}}
    content = {"state_dict": state, "ema_state_dict": state, "global_step": 3, "loops": progress}
    checkpoint = torch_bytes(content)
    config = {"trainer": {"max_steps": -1, "max_epochs": 4}}
    stored = yaml.safe_load((runs["trained"] / "config.yaml").read_text())

    def of_a_run(path: Path) -> None:
        place = path.parent / "run" / "checkpoints"
        place.mkdir(parents=True, exist_ok=True)
        (place.parent / "config.yaml").write_text(yaml.safe_dump(stored))
        for name in ("last.ckpt", "best.ckpt", "first.ckpt"):
            (place / name).write_bytes(path.read_bytes())
        run = RunFolder(place.parent)
        for work in (
            lambda: trained_weights(run, "best", "ema"),
            lambda: carry_on(run, config, layer),
            lambda: begin_again(run, layer),
            lambda: warm_start(layer, str(path)),
        ):
            refused(work)

    def shipped(path: Path) -> None:
        place = path.parent / "shipped"
        place.mkdir(exist_ok=True)
        (place / "config.yaml").write_text(yaml.safe_dump(stored))
        (place / "weights.safetensors").write_bytes(path.read_bytes())
        trained_weights(RunFolder(place))

    statistics = {
        "mean": torch.zeros(3),
        "covariance": torch.eye(3),
        "features": torch.zeros(5, 3),
        "total": torch.tensor(5),
    }
    return [
        Format((checkpoint,), "a.ckpt", of_a_run),
        Format((save(state),), "a.safetensors", shipped),
        Format((save(statistics),), "b.safetensors", lambda path: kept_statistics(path, 3)),
        Format((torch_bytes(state),), "a.pth", lambda path: check_weights(str(path))),
    ]


def refused(work: Callable[[], Any]) -> None:
    """Do what may refuse, where more is to be done afterwards."""
    from diffstn.errors import UserError

    try:
        work()
    except UserError as error:
        if "\n" in str(error):
            raise RuntimeError("more than a line") from error


def texts(runs: dict[str, Path]) -> list[Format]:
    from diffstn.build import build_model, build_task
    from diffstn.callbacks.metrics_csv import MetricsCSV
    from diffstn.cli.resume import resumed_config
    from diffstn.figures.curves import read_metrics
    from diffstn.runs.settings import TrainSettings
    from diffstn.schema import check_config
    from diffstn.store.bounded import no_larger_than
    from diffstn.store.run_folder import RunFolder, describe_runs
    from diffstn.store.trust import check_places, check_targets

    def config(path: Path) -> None:
        """As evaluate.py and a training that is resumed do, as far as a model."""
        run = RunFolder(path.parent)
        describe_runs([run])
        found = run.read_config()
        check_targets(found)
        check_places(found, run.path)
        check_config(found, TrainSettings)
        with no_larger_than(run.path):
            build_model(found, good_facts)
        build_task(found)

    def facts(path: Path) -> None:
        run = RunFolder(path.parent)
        (path.parent / "config.yaml").write_bytes(configs[0])
        found = run.facts
        if found is not None:
            with no_larger_than(run.path):
                build_model(run.read_config(), found)

    def any_json(path: Path) -> None:
        from diffstn.store.bounded import identities

        identities(RunFolder(path.parent).read_json(path.stem))

    def csv(path: Path) -> None:
        MetricsCSV(path).of_the_file(3)
        read_metrics(path)

    def overrides(path: Path) -> None:
        (path.parent / "config.yaml").write_bytes(configs[0])
        resumed_config(str(path.parent), ["epochs=3"])

    configs = tuple(
        (folder / "config.yaml").read_bytes()
        for name, folder in runs.items()
        if (folder / "config.yaml").exists()
    )
    good_facts = RunFolder(runs["trained"]).facts
    facts_text = (runs["trained"] / "facts.json").read_bytes()
    status = json.dumps({"state": "done", "time": "2020-01-01", "accuracy": 3.5}).encode()
    return [
        Format(configs, "config.yaml", config, tree=True),
        Format((facts_text,), "facts.json", facts, tree=True),
        Format((status,), "status.json", any_json, tree=True),
        Format((b'{"wandb": "3f2a", "mlflow": "12ab"}',), "loggers.json", any_json, tree=True),
        Format(((runs["trained"] / "metrics.csv").read_bytes(),), "metrics.csv", csv),
        Format(((runs["trained"] / "overrides.txt").read_bytes(),), "overrides.txt", overrides),
    ]


def all_formats(runs: dict[str, Path]) -> list[Format]:
    """All of them."""
    return [*texts(runs), *weights(runs), *images(), *clouds(), *known_sets()]
