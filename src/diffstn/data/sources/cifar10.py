"""CIFAR-10: small colour photographs of ten kinds of things (Krizhevsky, 2009)."""

import codecs
import io
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from diffstn.data.labelled import Labelled
from diffstn.data.sources.source import hold_out
from diffstn.errors import UserError

FOLDER = "cifar-10-batches-py"
MOST_BYTES = 2**30
"""Of a file, unpacked; the whole set takes 185 MB."""


@dataclass
class CIFAR10:
    """The photographs as an image source: 45 000 train, 5 000 val and 10 000 test images.

    Args:
        root: the folder that holds torchvision's `cifar-10-batches-py`.
        source: an npz file to read instead; see `load_cifar10`.
        download: let torchvision fetch the files into `root` when they are not there.
    """

    root: str | None = None
    source: str | None = None
    download: bool = False

    channels: ClassVar[int] = 3
    size: ClassVar[tuple[int, int]] = (32, 32)
    classes: ClassVar[tuple[str, ...]] = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip

    def load(self) -> dict[str, Labelled]:
        return load_cifar10(self.root, self.source, self.download)


def load_cifar10(
    root: str | Path | None = None, source: str | Path | None = None, download: bool = False
) -> dict[str, Labelled]:
    """The splits train, val (the last 5 000 training images) and test of CIFAR-10.

    Args:
        root: the folder that holds torchvision's `cifar-10-batches-py`.
        source: an npz file with train_images (N, 32, 32, 3) uint8, train_labels (N,), test_images
            and test_labels; where given, `root` is not looked at.
        download: fetch the files into `root` (170 MB) when they are not there. Nothing is ever
            downloaded unasked.

    Raises:
        UserError: the files are missing or damaged, or the download failed; names the remedy.
    """
    if source is not None:
        return _from_npz(Path(source))
    if root is None:
        raise UserError(
            "CIFAR-10 does not ship with diffstn: pass data.root=FOLDER (with "
            "data.download=true to fetch it there) or data.source=cifar10.npz"
        )
    folder = Path(root) / FOLDER
    if not folder.is_dir():
        if not download:
            raise UserError(
                f"{folder} does not exist: pass data.download=true to fetch CIFAR-10 "
                "there, or data.source=cifar10.npz"
            )
        _download(Path(root))
    return _from_folder(folder)


def _download(root: Path) -> None:
    try:
        from torchvision.datasets import CIFAR10 as Torchvision

        Torchvision(str(root), download=True)
    except (ImportError, OSError, RuntimeError) as error:
        raise UserError(
            f"CIFAR-10 could not be fetched ({error}): put {FOLDER} under {root} yourself, or pass "
            "data.source=cifar10.npz"
        ) from error


def _from_npz(path: Path) -> dict[str, Labelled]:
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > MOST_BYTES:
                raise ValueError("it is too large when it is unpacked")
        with np.load(path, allow_pickle=False) as arrays:
            training, test = (
                _images(arrays[f"{part}_images"].transpose(0, 3, 1, 2), arrays[f"{part}_labels"])
                for part in ("train", "test")
            )
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: check data.source") from None
    except Exception as error:  # whatever damaged files make the readers raise
        raise UserError(
            f"{path} is damaged or not CIFAR-10 ({error}): it must hold train_images "
            "(N, 32, 32, 3) uint8, train_labels, test_images and test_labels"
        ) from error
    return hold_out(training, test)


def _from_folder(folder: Path) -> dict[str, Labelled]:
    def images(names: list[str]) -> Labelled:
        batches = [_unpickle(folder / name) for name in names]
        images = np.concatenate([batch["data"] for batch in batches])
        labels = np.concatenate([batch["labels"] for batch in batches])
        return _images(images.reshape(-1, 3, 32, 32), labels)

    try:
        return hold_out(images([f"data_batch_{i}" for i in range(1, 6)]), images(["test_batch"]))
    except UserError:
        raise
    except Exception as error:  # whatever damaged files make the readers raise
        raise UserError(
            f"{folder} is incomplete or damaged ({error}): delete it and pass "
            "data.download=true, or data.source=cifar10.npz"
        ) from error


def _images(images: np.ndarray, labels: np.ndarray) -> Labelled:
    if images.dtype != np.uint8 or images.shape != (len(labels), CIFAR10.channels, *CIFAR10.size):
        raise ValueError(f"{len(labels)} labels for images {images.shape} {images.dtype}")
    if not 0 <= labels.min() <= labels.max() < len(CIFAR10.classes):
        raise ValueError(f"labels from {labels.min()} to {labels.max()}, not from 0 to 9")
    return Labelled(
        torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(labels.astype(np.int64))
    )


class _ArrayUnpickler(pickle.Unpickler):
    """Reads pickled containers of arrays, and refuses whatever else a pickle could run."""

    _allowed: ClassVar[dict[str, Any]] = {
        "_reconstruct": np.empty(0).__reduce__()[0],
        "ndarray": np.ndarray,
        "dtype": np.dtype,
        "encode": codecs.encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] in ("numpy", "_codecs") and name in self._allowed:
            return self._allowed[name]
        raise pickle.UnpicklingError(f"refusing to load {module}.{name}")


def _unpickle(path: Path) -> dict[str, Any]:
    if path.exists() and not (path.is_file() and path.stat().st_size <= MOST_BYTES):
        raise ValueError(f"{path.name} is no file, or too large")
    content = _ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds no batch")
    return content
