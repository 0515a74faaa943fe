"""The folder of one run: what is in it, and where runs are."""

import itertools
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffstn.errors import UserError
from diffstn.store.bounded import check_plain, check_shape, read, read_yaml, reason
from diffstn.store.migration import migrated
from diffstn.words import as_word

if TYPE_CHECKING:
    from diffstn.data.facts import Facts

PRETRAINED = Path(__file__).parents[1] / "pretrained"


RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")
"""Where Lightning, torchrun, SLURM and MPI say which of several processes this one is."""
RESULTS = ("checkpoints/last.ckpt", "checkpoints/best.ckpt", "metrics.csv", "metrics.json")
"""What nobody wants to lose."""

LISTED = 3
"""Runs that are named where one is not found."""


def first_rank() -> bool:
    """Whether this process is the one that writes: further ranks run the same command again."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


class RunFolder:
    """`config.yaml`, `facts.json`, `overrides.txt`, `environment.json`, `status.json`,
    `metrics.csv`, `metrics.json`, `train.log`, `checkpoints/`, `figures/`: a run, complete on its
    own.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    @property
    def log(self) -> Path:
        return self.path / "train.log"

    @property
    def metrics_csv(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def how_to_resume(self) -> str:
        """What to type after an interrupt."""
        if self.config.exists():
            return f"python train.py {as_word('out', self.path)} resume=true"
        return "nothing was written yet: give the same command again"

    def claim(self, resume: bool) -> None:
        """Make sure that nothing is overwritten.

        Raises:
            UserError: the folder holds a run, or results without one, and `resume` is not set; or
                it is to be resumed and there is none.
        """
        try:
            check_plain(self.path)
            begun = self.config.exists()
            there = [name for name in RESULTS if (self.path / name).exists()]
        except OSError as error:
            raise UserError(f"out: {error.strerror}; choose another out=") from None
        except (UserError, ValueError) as error:  # a zero byte in its name
            raise UserError(f"out={self.path}: {error}") from None
        if resume and not begun:
            raise UserError(
                f"resume=true: {self.config} does not exist; pass out=<the run's folder>"
            )
        if not resume and begun:
            raise UserError(f"{self.path} holds a run already; choose another out=, or resume=true")
        if not resume and there:
            raise UserError(
                f"{self.path} holds {there[0]} and no config.yaml that says of what; choose"
                " another out="
            )

    def write(self, name: str, text: str) -> Path:
        """Write a file in one step, so that no reader ever sees half of it."""
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.path / name
        draft = self.path / f"{name}.part"
        try:
            draft.write_text(text)
            draft.replace(target)
        except OSError:  # a full disk
            draft.unlink(missing_ok=True)
            raise
        return target

    def write_new_json(self, content: Any) -> Path:
        """Write a JSON file that is named after the time and was not there."""

        def make(name: str) -> Path:
            path = self.path / f"{name}.json"
            path.touch(exist_ok=False)
            return path

        self.path.mkdir(parents=True, exist_ok=True)
        return self.write_json(by_time(make).stem, content)

    def write_json(self, name: str, content: Any) -> Path:
        """Write `<name>.json`."""
        return self.write(f"{name}.json", json.dumps(content, indent=2, default=str) + "\n")

    def read_json(self, name: str) -> dict[str, Any]:
        """Content of `<name>.json`, empty if there is none.

        Raises:
            UserError: it is damaged.
        """
        path = self.path / f"{name}.json"
        try:
            content = json.loads(read(path)) if path.exists() else {}
            if not isinstance(content, dict):
                raise ValueError
        except (ValueError, RecursionError):
            raise UserError(f"{path} is damaged; mend or remove it") from None
        return content

    def read_config(self) -> dict[str, Any]:
        """The run's configuration; that of an older version as the present one writes it.

        Raises:
            UserError: it is damaged, or holds interpolations, which could read what is not its.
        """
        try:
            content = read_yaml(self.config)
        except ValueError:
            raise UserError(
                f"{self.config} is damaged: without it the run cannot be read"
            ) from None
        if "${" in json.dumps(content, default=str):
            raise UserError(f"{self.config} holds ${{…}}, which a run never writes: not read")
        try:
            config = migrated(content, self.path)
            check_shape(config)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(
                f"{self.config} is no configuration of a run: {reason(error)}"
            ) from None
        if isinstance(config.get("data"), dict) and config["data"].get("download"):
            config["data"]["download"] = False  # a run that has begun has had its data
        return config

    @property
    def facts(self) -> "Facts | None":
        """Of the run's data, as far as the run kept them."""
        from diffstn.data.facts import Facts  # only here: it imports torch

        plain = self.read_json("facts")
        try:
            return Facts.from_plain(plain) if plain else None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UserError(f"{self.path / 'facts.json'} holds no facts of a run's data") from None

    @property
    def is_shipped(self) -> bool:
        """Whether the run lies within the package."""
        return PRETRAINED in self.path.parents

    def write_overrides(self, words: Sequence[str]) -> None:
        """Write `overrides.txt`, one override a line."""
        self.write("overrides.txt", "".join(f"{word}\n" for word in words))

    def read_overrides(self) -> list[str]:
        """The overrides that began the run; none, if they are lost: the configuration tells too."""
        try:
            return read(self.path / "overrides.txt").splitlines()
        except (OSError, ValueError):
            return []

    def status(self, state: str, **more: Any) -> None:
        """Say where the run stands: running, done, failed, interrupted or skipped."""
        if first_rank():
            self.write_json("status", {"state": state, "time": time.strftime("%F %T"), **more})


def by_time(make: Callable[[str], Path]) -> Path:
    """What `make` makes under a name that is the time, and that nobody else has.

    Args:
        make: name → the path that it has made; raises FileExistsError if somebody was faster.
    """
    name = time.strftime("%Y-%m-%d_%H-%M-%S")
    for number in itertools.count(1):
        with suppress(FileExistsError):
            return make(name if number == 1 else f"{name}_{number}")
    raise AssertionError


def new_folder(parent: Path | str) -> Path:
    """A folder in `parent` that is named after the time and does not exist yet."""
    name = time.strftime("%Y-%m-%d_%H-%M-%S")
    taken = sorted(Path(parent).glob(f"{name}*"))
    return Path(parent) / (f"{name}_{len(taken) + 1}" if taken else name)


def find_runs(*roots: Path | str) -> list[RunFolder]:
    """All run folders below the roots, oldest first."""
    found = [
        RunFolder(config.parent)
        for root in roots
        for config in Path(root).glob("**/config.yaml")
        if (config.parent / "status.json").exists()
    ]
    return sorted(found, key=lambda run: run.config.stat().st_mtime)


def describe_runs(runs: Sequence[RunFolder]) -> str:
    """Folder, state, model and data of some runs, in a line."""
    lines = []
    for run in runs:
        try:
            choices = dict(read_yaml(run.config).get("choices", {}))
            state = run.read_json("status").get("state", "shipped")
        except (OSError, TypeError, ValueError):
            choices, state = {}, "damaged"
        what = " ".join(
            str(choices[key]) for key in ("model", "data", "data/distortion") if choices.get(key)
        )
        lines.append(f"{run.path} [{state}] {what}".strip())
    return ", ".join(lines)


def is_run(path: str) -> bool:
    """Whether there is a run at `path`, as `open_run` reads it."""
    shipped = path.startswith("pretrained/") and "." not in path
    return os.path.isfile((PRETRAINED.parent / path if shipped else Path(path)) / "config.yaml")


def open_run(path: str | None, word: str = "run") -> RunFolder:
    """The run at `path`, or one shipped with diffstn as `pretrained/<name>`.

    Args:
        word: by which the user asked for it.

    Raises:
        UserError: there is no run; the message lists those there are.
    """
    if path:
        shipped = PRETRAINED / Path(path).name
        if Path(path).parts[:1] == ("pretrained",) and (shipped / "config.yaml").exists():
            return RunFolder(shipped)
        try:
            if (Path(path) / "config.yaml").exists():
                check_plain(Path(path))
                return RunFolder(path)
        except (OSError, ValueError) as error:  # a name that no folder can have
            if isinstance(error, UserError):
                raise
    runs = find_runs("runs", "sweeps")
    shipped_runs = [f"pretrained/{p.parent.name}" for p in sorted(PRETRAINED.glob("*/config.yaml"))]
    last = f"the last of {len(runs)} runs here: {describe_runs(runs[-LISTED:])}; " if runs else ""
    problem = f"{word}={path}: no run there" if path else f"which run? pass {word}=<folder>"
    raise UserError(f"{problem}; {last}shipped: {', '.join(shipped_runs)}")
