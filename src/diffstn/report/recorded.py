"""A run as it is read from its folder, whatever of it is missing or damaged."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffstn.errors import UserError
from diffstn.report.curves import Curves, read_curves
from diffstn.report.inside import LeftOut, inside
from diffstn.store.bounded import is_small
from diffstn.store.run_folder import RunFolder

MOST_DEPTH = 32
MOST_CONFIG, MOST_TEXT, MOST_CSV = 2**18, 2**21, 2**26
"""Bytes of a configuration, of another file of words, and of `metrics.csv`, that are read."""
STATES = ("running", "done", "failed", "interrupted", "skipped")


@dataclass
class Recorded:
    """What a run's folder says of it.

    Args:
        path: the folder.
        name: by which the report calls it.
        problems: what could not be read, a line each.
    """

    path: Path
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    curves: Curves = field(default_factory=Curves)
    problems: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """running, done, failed, interrupted or skipped; lost, if the folder does not say."""
        state = self.status.get("state")
        return state if state in STATES else "lost"

    @property
    def error(self) -> str:
        """Why it did not finish."""
        return str(self.status.get("error") or "")

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers by which runs are compared."""
        return numbers_of(self.metrics.get("numbers"))

    @property
    def monitored(self) -> tuple[str, float] | None:
        """Name and best value of the number that chose the best checkpoint."""
        return next(iter(numbers_of(self.metrics.get("monitored")).items()), None)

    @property
    def overrides(self) -> dict[str, str]:
        """What was asked for, by key: of `model=stn`, `+a.b=1` and the like."""
        pairs = (word.split("=", 1) for word in self.words if "=" in word)
        return {key.lstrip("+~"): value for key, value in pairs}

    @property
    def choices(self) -> dict[str, str]:
        """Which file of each group was chosen."""
        given = self.config.get("choices")
        return {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}


def numbers_of(content: Any) -> dict[str, float]:
    """Those of a mapping's values that are numbers, finite ones."""
    if not isinstance(content, dict):
        return {}
    return {
        str(name): value
        for name, value in content.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    }


def recorded(path: Path, name: str | None = None) -> Recorded:
    """Read a run's folder; what is damaged or leads out of it is left out and named."""
    run = RunFolder(path)
    found = Recorded(path, name or path.resolve().name)
    for kind in ("status", "metrics", "environment"):
        with _Named(found):
            if inside(path, f"{kind}.json", MOST_TEXT):
                setattr(found, kind, _sane(run.read_json(kind), f"{kind}.json"))
    with _Named(found):
        inside(path, "judge.yaml", MOST_CONFIG)  # which older runs keep beside it
        if inside(path, "config.yaml", MOST_CONFIG):
            found.config = _sane(run.read_config(), "config.yaml")
    with _Named(found):
        if words := inside(path, "overrides.txt", MOST_TEXT):
            found.words = words.read_text(encoding="utf-8", errors="replace").split("\n")
    with _Named(found):
        if table := inside(path, "metrics.csv", MOST_CSV):
            try:
                found.curves = read_curves(table)
            except ValueError as error:
                raise LeftOut(f"metrics.csv cannot be read: {error}") from None
    return found


def _sane(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Content, if it is no larger and no deeper nested than a run writes it.

    Raises:
        LeftOut: it is.
    """
    if not is_small(content):
        raise LeftOut(f"{name} is larger than any that a run writes")
    level: list[Any] = [content]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for node in level
            if isinstance(node, dict | list)
            for inner in (node.values() if isinstance(node, dict) else node)
        ]
    if level:
        raise LeftOut(f"{name} is nested deeper than any that a run writes")
    return content


class _Named:
    """Within this context, what is wrong with a file becomes a problem of the run."""

    def __init__(self, run: Recorded) -> None:
        self.run = run

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, Exception):
            return False
        known = isinstance(error, LeftOut | UserError)
        said = str(error) if known else f"config.yaml is damaged ({type(error).__name__})"
        self.run.problems.append(said.replace(f"{self.run.path}/", ""))
        return True
