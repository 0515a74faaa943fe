from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from diffstn.data.labelled import Labelled
from diffstn.data.sources.mnist import load_mnist

CONF = str(Path(__file__).parents[2] / "conf")
PRESETS = sorted(path.stem for path in Path(CONF, "data", "distortion").glob("*.yaml"))


@pytest.fixture(scope="session")
def digits() -> dict[str, Labelled]:
    return load_mnist()


@dataclass
class FewDigits:
    """An image source that is already loaded."""

    splits: dict[str, Labelled]
    channels: ClassVar[int] = 1
    size: ClassVar[tuple[int, int]] = (28, 28)
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    loads: int = 0

    def load(self) -> dict[str, Labelled]:
        self.loads += 1
        return self.splits


@pytest.fixture
def few(digits: dict[str, Labelled]) -> FewDigits:
    """1100 training, 1001 validation and 1002 test digits."""
    sizes = {"train": 1100, "val": 1001, "test": 1002}
    return FewDigits({split: digits[split].first(size) for split, size in sizes.items()})


@pytest.fixture
def digit_folder(digits: dict[str, Labelled], tmp_path: Path) -> Path:
    """60 digits as files, 0 and 1, in a folder each."""
    from PIL import Image

    images, labels = digits["train"]
    for digit in (0, 1):
        folder = tmp_path / "digits" / str(digit)
        folder.mkdir(parents=True)
        for i, image in enumerate(images[labels == digit][:30]):
            Image.fromarray(image[0].numpy()).save(folder / f"{i:02}.png")
    return tmp_path / "digits"


def composed(*overrides: str) -> Any:
    with initialize_config_dir(CONF, version_base="1.3"):
        return compose(overrides=list(overrides))


def configured(*overrides: str) -> Any:
    """The data module of a configuration, made by Hydra alone."""
    return instantiate(composed(*overrides).data)


def preset(name: str, *overrides: str) -> Any:
    """The distortion of conf/data/distortion/<name>.yaml."""
    config = composed("+data=affine_mnist", f"data/distortion={name}", *overrides)
    return instantiate(config.data.distortion)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
