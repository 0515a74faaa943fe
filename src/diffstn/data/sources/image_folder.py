"""Images from a folder of files."""

from __future__ import annotations

import functools
import logging
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from diffstn.data.labelled import Labelled
from diffstn.data.sources.fitting import WHITE, check_background, check_shape, fitted
from diffstn.data.sources.stored import StoredImages
from diffstn.data.splits import check_shares, split_by_name
from diffstn.errors import UserError

logger = logging.getLogger("diffstn")

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "TIFF", "WEBP")
"""What is decoded, whatever a file is called: for PostScript, Pillow would start a program."""
NAMED = 5
"""How many of the files that are left out are named; the rest is counted."""


def read_image(
    path: Path, size: tuple[int, int] | None, channels: int, background: Sequence[int] = WHITE
) -> Tensor:
    """(C, H, W) uint8: the image in a file, `fitted` to `size` and `channels`.

    Raises:
        ValueError: the file cannot be read as an image.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as opened:
                return fitted(opened, size, channels, background)
    except Exception as error:  # whatever a damaged file makes a reader raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"unreadable ({reason[:120]})") from None


def read_nth(
    paths: np.ndarray,
    size: tuple[int, int],
    channels: int,
    background: Sequence[int],
    row: int,
) -> Tensor:
    """`read_image` of `paths[row]`.

    Args:
        paths: (N,) of bytes: objects would be copied in every worker as they are looked at.

    Raises:
        UserError: the file cannot be read as an image.
    """
    path = Path(os.fsdecode(paths[row]))
    try:
        return read_image(path, size, channels, background)
    except ValueError as error:
        raise UserError(f"{path}: {error}; mend or remove it") from None


class ImageFolder:
    """Images of any size in a folder, a class per sub-folder, as an image source.

    Every image is scaled until it covers `image_size` and cropped around its centre. What cannot be
    read, files beside the sub-folders, and pipes or devices with an image's name are left out,
    named (the first few) and counted. An image's split follows from its name alone, so adding files
    moves none to another.

    Args:
        root: the folder.
        image_size: (height, width) of the images that come out.
        channels: 3 for colour, 1 for grey.
        background: what transparent places show: a grey level, or [red, green, blue], in 0 … 1.
        val, test: shares that are held out, on average.
        data_seed: fixes the splits.

    Raises:
        UserError: there is no such folder, a sub-folder holds no image, a setting is out of
            range, or, at `load`, nothing can be read or a split would be empty.
    """

    def __init__(
        self,
        root: str | None = None,
        image_size: Sequence[int] = (32, 32),
        channels: int = 3,
        background: float | Sequence[float] = 1.0,
        val: float = 0.1,
        test: float = 0.1,
        data_seed: int = 0,
    ) -> None:
        if root is None or not Path(str(root)).is_dir():
            raise UserError(
                f"data.root={root}: there is no such folder; pass data.root=<folder of images,"
                " one sub-folder per class>"
            )
        self.size, self.channels = check_shape(image_size, channels), channels
        self.background = check_background(background, channels)
        check_shares(val, test)
        self.root, self.data_seed = Path(str(root)), data_seed
        self.val, self.test = val, test
        inside = sorted(p for p in self.root.iterdir() if p.name[0] != ".")
        folders = [path for path in inside if path.is_dir()]
        self.stray = [p for p in inside if folders and p.suffix.lower() in ENDINGS and p.is_file()]
        files = {path.name: images_in(path) for path in folders} or {".": images_in(self.root)}
        for name, paths in files.items():
            if not paths:
                raise UserError(
                    f"{self.root / name} holds no image ({', '.join(ENDINGS)}): remove the"
                    " folder, or put its class's images there"
                )
        self.classes = tuple(files)
        self.files = [path for paths in files.values() for path in paths]
        self._labels = [label for label, paths in enumerate(files.values()) for _ in paths]

    def load(self) -> dict[str, Labelled]:
        """The splits, each in an order that is random and always the same."""
        images: list[Tensor] = []
        rows: list[int] = []
        unreadable: list[str] = []
        for row, path in enumerate(tqdm(self.files, "reading images", unit="image", disable=None)):
            try:
                images.append(read_image(path, self.size, self.channels, self.background))
                rows.append(row)
            except ValueError as error:
                unreadable.append(f"{path}: {error}")
        self._tell(unreadable)
        if not images:
            raise UserError(f"no image in {self.root} can be read; {unreadable[0]}")
        labels = torch.tensor([self._labels[row] for row in rows])
        if lost := set(range(len(self.classes))) - set(labels.tolist()):
            where = self.root / self.classes[min(lost)]
            raise UserError(f"no image of {where} can be read: mend or remove it")
        every = Labelled(torch.stack(images), labels)
        return {split: every.at(chosen) for split, chosen in self._split(rows).items()}

    def index(self) -> dict[str, StoredImages]:
        """The splits of `load` with no image read; nobody knows yet which can be."""
        self._tell([])
        labels = torch.tensor(self._labels)
        paths = np.array([os.fsencode(path) for path in self.files])
        read = functools.partial(read_nth, paths, self.size, self.channels, self.background)
        about = [(path, path.stat()) for path in self.files]
        shape = f"{self.size} {self.channels} {self.background}"
        fingerprint = "\n".join(
            [shape, *(f"{self._name(p)} {s.st_size} {s.st_mtime_ns}" for p, s in about)]
        )
        return {
            split: StoredImages(read, chosen, labels[chosen], fingerprint)
            for split, chosen in self._split(range(len(labels))).items()
        }

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _split(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """Places in `rows`, which are rows of `files`, of each split.

        Raises:
            UserError: one would be empty.
        """
        names = [self._name(self.files[row]) for row in rows]
        splits = split_by_name(names, self.val, self.test, self.data_seed)
        for split, chosen in splits.items():
            if not len(chosen):
                raise UserError(
                    f"{len(rows)} images are too few: the {split} split would be empty; raise"
                    " data.val or data.test, or add images"
                )
        return splits

    def _tell(self, unreadable: list[str]) -> None:
        """Say what is left out."""
        if self.stray:
            logger.warning(
                "left out %s: beside the classes' folders %d images belong to no class",
                *(self.stray[0], len(self.stray)),
            )
        pipes = [path for path in named_like(self.root, ENDINGS) if not path.is_file()]
        left_out = [*unreadable, *(f"{path}: no file but a pipe or a device" for path in pipes)]
        for line in left_out[:NAMED]:
            logger.warning("left out %s", line)
        if left_out:
            logger.warning("left out %d of %d images", len(left_out), len(self.files) + len(pipes))


def named_like(folder: Path, endings: Sequence[str]) -> list[Path]:
    """All below `folder` but folders whose names end so, in order."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in endings)
    return sorted(path for path in found if not path.is_dir())


def images_in(folder: Path) -> list[Path]:
    """The files below `folder` that look like images by their names, in order."""
    return [path for path in named_like(folder, ENDINGS) if path.is_file()]
