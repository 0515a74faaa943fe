"""MNIST: handwritten digits, shipped with the package."""

import gzip
import hashlib
import lzma
import zlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from diffstn.data.labelled import Labelled
from diffstn.data.sources.idx import parse_idx
from diffstn.data.sources.source import hold_out
from diffstn.errors import UserError

CHECKSUMS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""MD5 of the four uncompressed IDX files."""

MOST_BYTES = 2**28
"""Of a file: 340 000 images."""
ASSETS = Path(str(resources.files("diffstn.data"))) / "assets"


@dataclass
class MNIST:
    """The digits as an image source: 55 000 train, 5 000 val and 10 000 test images.

    Args:
        root: a folder as torchvision's, for your own copy of the files; None: the copy we ship.
    """

    root: str | None = None

    channels: ClassVar[int] = 1
    size: ClassVar[tuple[int, int]] = (28, 28)
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")

    def load(self) -> dict[str, Labelled]:
        return load_mnist(self.root)


def load_mnist(root: str | Path | None = None, folder: str = "MNIST") -> dict[str, Labelled]:
    """The splits train, val (the last 5 000 training images) and test of MNIST.

    Args:
        root: None reads the files we ship and verifies their checksums. A folder is read as
            torchvision leaves it, `root/<folder>/raw/*-ubyte` or `*-ubyte.gz`; any data set in the
            format and size of MNIST (Fashion-MNIST, KMNIST) may stand there.
        folder: its name within the root.

    Raises:
        UserError: a file is missing or damaged; the message names it and the remedy.
    """

    def images(part: str) -> Labelled:
        return _images(
            *(
                _array(f"{part}-{kind}-ubyte", root, folder)
                for kind in ("images-idx3", "labels-idx1")
            )
        )

    return hold_out(images("train"), images("t10k"))


def _images(images: Tensor, labels: Tensor) -> Labelled:
    if labels.ndim != 1 or not len(labels):
        raise UserError("MNIST's files hold no image: fetch them again, or check data.root")
    if images.shape != (len(labels), *MNIST.size) or int(labels.max()) >= len(MNIST.classes):
        raise UserError(
            f"{tuple(images.shape)} images with {tuple(labels.shape)} labels are not MNIST's: "
            "expected (N, 28, 28) and (N,) with labels 0 to 9; check data.root"
        )
    return Labelled(images.unsqueeze(1), labels.long())


def _array(name: str, root: str | Path | None, folder: str) -> Tensor:
    content = _shipped(name) if root is None else _own(name, Path(root) / folder)
    return parse_idx(content, name)


def _shipped(name: str) -> bytes:
    path = ASSETS / f"{name}.xz"
    try:
        content = lzma.decompress(path.read_bytes())
        intact = hashlib.md5(content, usedforsecurity=False).hexdigest() == CHECKSUMS[name]
    except (OSError, lzma.LZMAError):
        intact = False
    if not intact:
        raise UserError(
            f"{path} is missing or damaged: reinstall diffstn, or point at your own copy of MNIST "
            "with data.root=FOLDER"
        )
    return content


def _own(name: str, folder: Path) -> bytes:
    raw = folder / "raw" / name
    packed = raw.with_name(f"{name}.gz")
    path = raw if raw.exists() else packed
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"{path} is no file")
        with path.open("rb") if path == raw else gzip.open(path) as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UserError(f"{path} is larger than any set of this kind")
        return content
    except FileNotFoundError:
        raise UserError(
            f"neither {raw} nor {packed.name} exists: put the files there"
            + (
                ", or drop data.root to use the copy that ships with diffstn"
                * (folder.name == "MNIST")
            )
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}): fetch it again") from error
