"""A hostile or odd input: what is given, to which command, and what must come of it."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml


class Answer(Enum):
    """What must come of an input."""

    REFUSED = "one line of at most 400 characters, exit code 2"
    SKIPPED = "done, exit code 0, and what was left out is named"
    HARMLESS = "done as if it were nothing special, exit code 0"


class Place:
    """Where an input is tried: `work`, in which the command runs, and what must not change.

    Args:
        root: an empty folder.
        runs: folders of runs by their names, of which the stranger's are copies.
    """

    def __init__(self, root: Path, runs: Mapping[str, Path]) -> None:
        self.root, self.runs = root, runs
        self.work, self.outside = root / "work", root / "outside"
        for name in ("work", "outside", "home", "tmp", "cache"):
            (root / name).mkdir()
        (self.outside / "precious.txt").write_text("precious\n")

    @property
    def canary(self) -> Path:
        """Appears if a payload was executed."""
        return self.root / "canary"

    @property
    def run(self) -> Path:
        """The stranger's run: `work/run`."""
        return self.work / "run"

    def copy(self, name: str) -> Path:
        """Make the stranger's run a copy of a good one."""
        shutil.copytree(self.runs[name], self.run)
        return self.run

    def write(self, name: str, content: bytes | str) -> Path:
        """Write a file below `work`."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


Prepare = Callable[[Place], Any]


@dataclass(frozen=True)
class Case:
    """One input."""

    name: str
    command: str
    """As it is typed, without quotes: words are split at spaces."""
    answer: Answer = Answer.REFUSED
    prepare: tuple[Prepare, ...] = ()
    says: str = ""
    """Part of what is said."""


def a(run: str) -> Prepare:
    """The stranger's run is a copy of that one."""
    return lambda place: place.copy(run)


def file(name: str, content: bytes | str) -> Prepare:
    """A file below `work`."""
    return lambda place: place.write(name, content)


def made(name: str, make: Callable[[], bytes]) -> Prepare:
    """The same, of bytes that are made when they are needed."""
    return lambda place: place.write(name, make())


def gone(name: str) -> Prepare:
    """There is no such file or folder."""

    def prepare(place: Place) -> None:
        path = place.work / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return prepare


def pipe(name: str) -> Prepare:
    """A pipe that nobody fills."""

    def prepare(place: Place) -> None:
        path = _free(place, name)
        os.mkfifo(path)

    return prepare


def link(name: str, target: str) -> Prepare:
    """A symbolic link; `{outside}` in its target stands for the folder that must not change."""

    def prepare(place: Place) -> None:
        _free(place, name).symlink_to(target.format(outside=place.outside))

    return prepare


def sparse(name: str, gigabytes: int = 1000) -> Prepare:
    """A file that says it is huge and takes no room."""

    def prepare(place: Place) -> None:
        with _free(place, name).open("wb") as opened:
            opened.truncate(gigabytes * 10**9)

    return prepare


def config(change: Callable[[dict[str, Any]], Any]) -> Prepare:
    """The run's configuration is changed; what `change` returns takes its place, if anything."""

    def prepare(place: Place) -> None:
        path = place.run / "config.yaml"
        content = yaml.safe_load(path.read_text())
        found = change(content)
        path.write_text(yaml.safe_dump(content if found is None else found, sort_keys=False))

    return prepare


def setting(key: str, value: Any) -> Prepare:
    """A dotted key of the run's configuration has another value."""

    def change(content: dict[str, Any]) -> None:
        *parts, last = key.split(".")
        for part in parts:
            content = content.setdefault(part, {})
        content[last] = value

    return config(change)


def _free(place: Place, name: str) -> Path:
    path = place.work / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return path
