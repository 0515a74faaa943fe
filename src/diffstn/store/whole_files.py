"""Checkpoints that are whole, whatever happens while one is written."""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins import TorchCheckpointIO

from diffstn.errors import Stopped, UserError

BEFORE = ".before"
"""Added to the name of the checkpoint that the present one replaced."""
FIRST = "first.ckpt"
"""The weights that a training began with, until it has written its state."""
OTHERS = {"last": ("last", "best"), "best": ("best", "last")}


class WholeFiles(TorchCheckpointIO):
    """Writes a checkpoint aside, flushes it to the disk and renames it.

    The one that it replaces is kept beside it until the next one is whole, as `NAME.ckpt.before`.
    Nothing is written outside the checkpoint's own folder, so that a rename is one step on any
    file system. A draft that a killed process left is overwritten by the next.

    Raises:
        UserError: the disk is full, or the folder cannot be written or is gone; the checkpoints
            that there were stay as they are.
    """

    def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any = None) -> None:
        path = Path(path)
        draft = path.with_name(f"{path.name}.part")
        try:
            path.parent.mkdir(exist_ok=True)
            with draft.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                path.replace(path.with_name(path.name + BEFORE))
            draft.replace(path)
            _flush_folder(path.parent)
        except (OSError, RuntimeError) as error:  # torch says RuntimeError of what a file raised
            chain = (error, error.__cause__, error.__context__)
            asked = next((one for one in chain if isinstance(one, Stopped)), None)
            if asked is not None:  # for the second time, while this was written
                raise asked from None
            reason = next((one.strerror for one in chain if isinstance(one, OSError)), None)
            if reason is None:
                raise
            if not path.parent.parent.exists():
                raise UserError(f"{path.parent.parent} is gone, and with it this run") from None
            draft.unlink(missing_ok=True)
            raise UserError(f"{path} cannot be written ({reason}); what was there stays") from None

    def remove_checkpoint(self, path: Any) -> None:
        """Remove it with the one that it replaced."""
        super().remove_checkpoint(path)
        Path(f"{path}{BEFORE}").unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Make a rename survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_whole(path: Path) -> bool:
    """Whether all bytes of a checkpoint are those that were written, by its own checksums."""
    try:
        with zipfile.ZipFile(path) as archive:
            stored = all(one.compress_type == zipfile.ZIP_STORED for one in archive.infolist())
            return stored and archive.testzip() is None  # torch compresses nothing
    except Exception:  # whatever damaged bytes make zipfile raise
        return False


def candidates(folder: Path, name: str) -> Iterator[Path]:
    """Files that may stand in for the checkpoint `name`, the nearest first, if they exist."""
    for one in OTHERS.get(name, (name,)):
        for path in (folder / f"{one}.ckpt", folder / f"{one}.ckpt{BEFORE}"):
            if path.is_file():
                yield path


def is_kept(folder: Path, name: str) -> bool:
    """Whether the checkpoint `name` is there, or the one that it replaced, whole or not."""
    path = folder / f"{name}.ckpt"
    return path.is_file() or Path(f"{path}{BEFORE}").is_file()


def newest_whole(folder: Path, name: str) -> tuple[Path | None, str]:
    """The checkpoint `name`, or the nearest whole one, and a line on those that are damaged.

    Raises:
        UserError: there are checkpoints, but none of them is whole.
    """
    damaged: list[str] = []
    for path in candidates(folder, name):
        if is_whole(path):
            missing = [] if (folder / f"{name}.ckpt").exists() else [f"{name}.ckpt is missing"]
            why = [*missing, *(f"{one} is damaged" for one in damaged)]
            return path, f"{', '.join(why)}: {path.name} takes its place" if why else ""
        damaged.append(path.name)
    if damaged:
        raise UserError(f"{folder}: {', '.join(damaged)} are damaged, and there is no other")
    return None, ""
