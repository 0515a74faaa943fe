"""The good runs of which a stranger's are copies, and a process that knows all libraries."""

import importlib
import shutil
import sys
from pathlib import Path

import pytest

SMALL = [
    "data.limit_train=64",
    "data.limit_val=40",
    "data.limit_test=300",
    "data.batch_size=32",
    "epochs=1",
    "accelerator=cpu",
    "trainer.precision=fp32",
]
TRAINED = {
    "trained": ["model=stn", "encoder=fc", "classifier=joint"],
    "unet": [
        *("model=ddpm_unet", "network.width=8", "network.blocks=1", "network.head_features=8"),
        *("schedule.steps=20", "sampler.steps=1", "task.samples=140", "task.track=0"),
        *("trainer.limit_train_batches=1", "trainer.limit_val_batches=1"),
    ],
}
LIBRARIES = (
    "diffstn.runs.train",
    "diffstn.runs.sample",
    "diffstn.runs.evaluate",
    "diffstn.tasks.correct_folder",
    "diffstn.figures.curves",
    "diffstn.metrics.images.real_statistics",
    "matplotlib.figure",
    "trimesh",
    "PIL.Image",
)


def good_runs(place: Path) -> dict[str, Path]:
    """Train two runs of seconds, and copy one that ships.

    Returns:
        `trained`, `unet` and `shipped`, and `cache`, where the statistics of real images are kept.
    """
    from diffstn.cli.train import train_command
    from diffstn.store.run_folder import PRETRAINED

    for name in LIBRARIES:
        importlib.import_module(name)
    runs = {name: place / name for name in ("trained", "unet", "shipped", "cache")}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "argv", ["train.py"])
        patch.setenv("XDG_CACHE_HOME", str(runs["cache"]))
        for name, words in TRAINED.items():
            assert train_command([*SMALL, *words, f"out={runs[name]}"]) == 0
    shutil.copytree(PRETRAINED / "judge", runs["shipped"])
    return runs


def quick(patch: pytest.MonkeyPatch) -> None:
    """Leave out what takes long and reads nothing: unpacking digits, pages, Hydra's mode."""
    from diffstn.data.sources import mnist
    from diffstn.tasks.correct import Correct
    from diffstn.tasks.generate_images import GenerateImages
    from tests.conftest import blank_page, mnist_once

    mnist_once(None, "MNIST")
    patch.setattr(mnist, "load_mnist", mnist_once)
    for task in (Correct, GenerateImages):
        patch.setattr(task, "plot", lambda *_, **__: [])
    patch.setattr("diffstn.runs.train.training_curves", blank_page)
    patch.setattr("hydra._internal.hydra.Hydra.get_mode", lambda *_, **__: None)
