"""What tests of models and runs share: a few digits, and runs of seconds."""

import functools
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.plugins.config_source import ConfigResult
from PIL import Image

from diffstn.build import Built, build
from diffstn.cli.conf import CONF, training_config
from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.data.sources import mnist

SMALL = [
    "data.limit_train=64",
    "data.limit_val=40",
    "data.limit_test=40",
    "data.batch_size=32",
    "epochs=1",
    "accelerator=cpu",
    "trainer.precision=fp32",
    "report=false",
]
"""Overrides that make any run end within a second."""

TINY = [*SMALL, "classifier=joint", "encoder=fc"]
"""The same for a run that corrects and whose networks do not matter."""

AUTOENCODER = [
    *("model=autoencoder", "network.width=16", "epochs=2", "accelerator=cpu", "report=false"),
    *("data.limit_train=400", "data.limit_val=40", "data.limit_test=300", "data.batch_size=20"),
    *("trainer.precision=fp32", "task.samples=null", "optimizer.lr=5e-3"),
    "model.edge_weight=0",
]
"""An autoencoder that is a little better than none."""

Train = Callable[..., int]


def pytest_configure(config: pytest.Config) -> None:
    """Processes that test side by side share the cores, and so do not wait for one another."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _said_mode() -> Iterator[None]:
    """Hydra composes every configuration once more to learn its mode, which -m says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hydra._internal.hydra.Hydra.get_mode", lambda *_, **__: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _yaml_read_once() -> Iterator[None]:
    """Every test composes from the same files, which Hydra would parse each time."""
    read = FileConfigSource.load_config
    known: dict[str, bytes] = {}

    def load(source: FileConfigSource, config_path: str) -> ConfigResult:
        if Path(source.path) != CONF.resolve():
            return read(source, config_path)
        if config_path not in known:
            known[config_path] = pickle.dumps(read(source, config_path))
        return pickle.loads(known[config_path])  # quicker than a deep copy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileConfigSource, "load_config", load)
        yield


@functools.cache
def mnist_once(root: Any = None, folder: str = "MNIST") -> Any:
    """`load_mnist`, which unpacks the digits for the first caller alone."""
    return LOAD(root, folder)


LOAD = mnist.load_mnist


@pytest.fixture(scope="session")
def autoencoder_run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a small autoencoder of digits that has learned for a second or two."""
    folder = tmp_path_factory.mktemp("autoencoder") / "run"
    words = [*AUTOENCODER, f"out={folder}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py"])
        patch.setattr(mnist, "load_mnist", mnist_once)
        patch.setenv("XDG_CACHE_HOME", str(folder.parent / "cache"))
        patch.setattr("diffstn.runs.train.training_curves", blank_page)
        assert train_command(words) == 0
    return str(folder)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory for commands that are run in this process, without figures."""
    from diffstn.tasks.correct import Correct

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.setattr(mnist, "load_mnist", mnist_once)
    for name in ("plot", "callbacks"):
        monkeypatch.setattr(Correct, name, lambda *_, **__: [])
    monkeypatch.setattr("diffstn.runs.train.plot_confusions", lambda *_: [])
    monkeypatch.setattr("diffstn.runs.train.training_curves", blank_page)
    monkeypatch.setattr("diffstn.report.sweep_figure.sweep_figure", blank_page)
    return tmp_path


def blank_page(_: Any, path: Path) -> Path:
    """A figure in the place of one that takes long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


@pytest.fixture
def train(workplace: Path) -> Train:
    """`train(*overrides)`: a tiny run that corrects, by the command line's own function.

    One that is resumed has its words. Returns the exit code.
    """

    def run(*overrides: str) -> int:
        resumes = "resume=true" in " ".join(overrides).lower()
        return train_command([*([] if resumes else TINY), *overrides])

    return run


@pytest.fixture
def evaluate(workplace: Path) -> Callable[..., int]:
    """`evaluate(*overrides)` by the command line's own function."""
    return lambda *words: run_command("evaluate", ["accelerator=cpu", *words])


@pytest.fixture
def sample(workplace: Path) -> Callable[..., int]:
    """`sample(*overrides)` by the command line's own function."""
    return lambda *words: run_command("sample", ["accelerator=cpu", *words])


@pytest.fixture
def config() -> Callable[..., dict[str, Any]]:
    """`config(*overrides)`: conf/train.yaml composed, as plain containers."""
    return lambda *overrides: composed_once(overrides)


def composed_once(words: Sequence[str]) -> dict[str, Any]:
    """`training_config` of the same words, which is composed for the first that asks."""
    if (key := tuple(words)) not in COMPOSED:
        COMPOSED[key] = pickle.dumps(training_config(key))
    return pickle.loads(COMPOSED[key])


COMPOSED: dict[tuple[str, ...], bytes] = {}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Built]:
    """`built(*overrides)`: model, data and task of a tiny configuration, seeded."""
    monkeypatch.setattr(mnist, "load_mnist", mnist_once)

    def make(*overrides: str, tiny: bool = True) -> Built:
        torch.manual_seed(0)
        return build(composed_once([*(TINY if tiny else SMALL), *overrides]))

    return make
