"""Files of a folder that may be a stranger's."""

from __future__ import annotations

from pathlib import Path


class LeftOut(Exception):
    """A file is not shown; the message says why."""


def inside(folder: Path, name: str | Path, most: int) -> Path | None:
    """The regular file `name` below `folder`, of at most so many bytes; None if there is none.

    Raises:
        LeftOut: it leads out of the folder, is no file, as a pipe that nobody fills, or is larger.
    """
    path = folder / name
    try:
        if not path.exists():
            return None
        if folder.resolve() not in path.resolve().parents:
            raise LeftOut(f"{name} leads out of the folder")
        if not path.is_file():
            raise LeftOut(f"{name} is no file")
        if path.stat().st_size > most:
            raise LeftOut(f"{name} is larger than {most / 2**20:g} MB")
    except (OSError, RuntimeError, ValueError) as error:  # a link to itself, a name of zero bytes
        raise LeftOut(f"{name}: {getattr(error, 'strerror', None) or error}") from None
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a file in one step, following no link that lies in its place or in its draft's."""
    draft = path.with_name(f"{path.name}.part")
    draft.unlink(missing_ok=True)
    try:
        with draft.open("x", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
        draft.replace(path)
    except OSError:  # a full disk
        draft.unlink(missing_ok=True)
        raise
    return path
