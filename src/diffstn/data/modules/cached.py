"""Images that are decoded once and kept as bytes on disk."""

from __future__ import annotations

import fcntl
import functools
import logging
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from diffstn.data.labelled import Labelled
from diffstn.data.modules.streamed_loader import StreamedLoader
from diffstn.data.sources.stored import StoredImages
from diffstn.errors import UserError

logger = logging.getLogger("diffstn")

HEAD = 4096
"""Bytes of a file before its checksums: what it holds, on a line."""
ENDING = ".images"
TOGETHER = 64
"""Images that a worker hands over at a time."""


@dataclass(frozen=True)
class CachedImages:
    """One split of an image set, decoded and fitted, in a memory-mapped file.

    Every image has a checksum, which a process compares when it first reads it: a damaged one is
    read from its own file again, and mended. What follows is a copy out of the system's memory of
    files, as fast as from a tensor, so threads read ahead where other images need processes.

    Args:
        images: where they come from.
        path: the file: a head, N checksums, N images (C, H, W) of bytes.
        shape: (C, H, W).
    """

    images: StoredImages
    path: Path
    shape: tuple[int, int, int]
    decodes: ClassVar[bool] = False

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> Tensor:
        return self.images.labels

    @property
    def digest(self) -> str:
        """That of the images."""
        return self.images.digest

    def at(self, indices: Tensor) -> Labelled:
        """Copy the split's images at `indices` (B,)."""
        file, rows = mapped(self.path, len(self), self.shape), indices.numpy()
        found = file.pixels.take(rows, axis=0)  # other threads run meanwhile
        for place in np.flatnonzero(~file.checked[rows]):
            if zlib.crc32(found[place]) != file.sums[rows[place]]:
                found[place] = self._mended(int(rows[place]))
        file.checked[rows] = True
        return Labelled(torch.from_numpy(found), self.images.labels[indices])

    def _mended(self, row: int) -> np.ndarray:
        """The image at a row of the split, read from its own file and written back."""
        image = self.images.at(torch.tensor([row])).items[0].numpy()
        logger.warning("%s: image %d was damaged and is read again", self.path, row)
        try:
            with self.path.open("r+b") as file:
                write_image(file.fileno(), row, image, len(self))
        except OSError as error:  # somebody else's cache
            logger.warning("%s cannot be mended (%s)", self.path, error.strerror)
        return image


def cached(images: StoredImages, folder: Path, workers: int, split: str) -> CachedImages:
    """The images of `folder`'s cache, decoded now where that does not have them whole.

    The file's name is the digest of the images, which holds what they are made of and all that says
    how: so a file is never stale. It is written under another name and renamed when it is complete.
    Of several processes one writes and the others wait.

    Args:
        images: one split.
        folder: is made if it is not there.
        workers: processes that decode.
        split: what to call it.

    Raises:
        UserError: the folder cannot be written or has too little room, or an image cannot be read.
    """
    first = images.at(torch.tensor([0])).items[0]
    shape: tuple[int, int, int] = (first.shape[0], first.shape[1], first.shape[2])
    held = CachedImages(images, folder / f"{images.digest}{ENDING}", shape)
    if is_whole(held):
        return held
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(folder / f"{images.digest}.lock"):
            if not is_whole(held):
                write(held, workers, split)
    except OSError as error:
        raise UserError(
            f"data.cache={folder} cannot be written ({error.strerror}); choose another folder, or"
            " data.cache=null"
        ) from error
    return held


def write(held: CachedImages, workers: int, split: str) -> None:
    """Decode all images into the file.

    Raises:
        OSError: it cannot be written.
        UserError: there is too little room, or an image cannot be read.
    """
    n, folder = len(held), held.path.parent
    needed, free = size_of(n, held.shape), shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"data.cache={folder}: {n} images of the {split} split take {needed / 1e9:.1f} GB and"
            f" {free / 1e9:.1f} are free; choose another folder, or data.cache=null"
        )
    draft = held.path.with_suffix(".part")
    try:
        with draft.open("wb") as file, tqdm(total=n, desc=f"decoding {split}", disable=None) as bar:
            file.write(head(held).ljust(HEAD, b"\0"))
            file.flush()
            row = 0
            for batch in StreamedLoader(held.images, TOGETHER, workers=workers):
                for image in batch.items.numpy():
                    write_image(file.fileno(), row, image, n)
                    row += 1
                bar.update(len(batch.labels))
            os.fsync(file.fileno())
        draft.replace(held.path)
    finally:
        draft.unlink(missing_ok=True)
    mapped.cache_clear()


def write_image(file: int, row: int, image: np.ndarray, n: int) -> None:
    """An image (C, H, W) and its checksum into their places among n."""
    content = image.tobytes()
    os.pwrite(file, np.uint32(zlib.crc32(content)).tobytes(), HEAD + 4 * row)
    os.pwrite(file, content, HEAD + 4 * n + image.size * row)


def head(held: CachedImages) -> bytes:
    """What the file of these images begins with."""
    channels, height, width = held.shape
    return f"diffstn images 1 {held.digest} {len(held)} {channels} {height} {width}\n".encode()


def size_of(n: int, shape: tuple[int, int, int]) -> int:
    """Bytes of a file."""
    return HEAD + 4 * n + n * shape[0] * shape[1] * shape[2]


def is_whole(held: CachedImages) -> bool:
    """Whether the file is there, of these images, and none of it is missing."""
    line = head(held)
    try:
        with held.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return size == size_of(len(held), held.shape) and file.read(len(line)) == line
    except OSError:
        return False


class Mapped(NamedTuple):
    """A file that is open.

    Shapes:
        sums: (N,) uint32, of the images as they were written.
        pixels: (N, C, H, W) uint8.
        checked: (N,) whether this process has compared the sum.
    """

    sums: np.ndarray
    pixels: np.ndarray
    checked: np.ndarray


@functools.lru_cache(maxsize=16)
def mapped(path: Path, n: int, shape: tuple[int, int, int]) -> Mapped:
    """The open file, none of its images read yet."""
    sums = np.asarray(np.memmap(path, np.uint32, "r", HEAD, (n,)))
    pixels = np.asarray(np.memmap(path, np.uint8, "r", HEAD + 4 * n, (n, *shape)))
    return Mapped(sums, pixels, np.zeros(n, dtype=bool))


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process is within this context for the same path."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.warning("waiting for another process that decodes the same images")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def check_cache(folder: Path) -> None:
    """Refuse a folder that can neither be written nor has been.

    Raises:
        UserError: it says so.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    usable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    if not usable and not (folder.is_dir() and any(folder.glob(f"*{ENDING}"))):
        raise UserError(
            f"data.cache={folder}: {there} is no folder that can be written; choose another, or"
            " data.cache=null"
        )
