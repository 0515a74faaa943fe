"""In what runs differ, and which of them differ in the seed alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diffstn.report.recorded import Recorded

SEED = "seed"
BESIDE = (
    *("out", "resume", "debug", "on_error", "report", "choices", "trust", "logger"),
    *("ckpt", "ckpt_parts"),
)
"""Parts of a configuration that say nothing of what is learnt, or say it twice."""
ABSENT = "–"


def flat(node: Any, prefix: str = "") -> dict[str, str]:
    """A nested configuration as dotted keys and their values as text."""
    if isinstance(node, Mapping) and node:
        inner = (flat(value, f"{prefix}{name}.") for name, value in node.items())
        return {key: value for one in inner for key, value in one.items()}
    return {prefix[:-1]: said(node)}


def said(value: Any) -> str:
    """A value as the command line says it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(said, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {said(one)}" for name, one in value.items()) + "}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def settings_of(run: Recorded) -> dict[str, str]:
    """What configures a run, by the words for it: its choices, then its settings.

    A run without a readable configuration has the overrides that were typed.
    """
    if not run.config:
        return {k: v for k, v in run.overrides.items() if k.split(".")[0] not in BESIDE}
    settings = dict(run.choices)
    for name, node in run.config.items():
        if name not in BESIDE:
            settings |= flat(node, f"{name}.")
    return settings


@dataclass(frozen=True)
class Differences:
    """Settings in which runs differ.

    Args:
        first: those that were asked for, or all where none was; the seed last.
        further: those that follow from them.
        values: of all these, a mapping for each run.
    """

    first: list[str]
    further: list[str]
    values: list[dict[str, str]]

    @property
    def varied(self) -> list[str]:
        """Those of the first that are not the seed."""
        return [name for name in self.first if name != SEED]

    def groups(self) -> list[list[int]]:
        """Indices of runs that differ in nothing but the seed, together; in order."""
        together: dict[tuple[str, ...], list[int]] = {}
        names = [name for name in (*self.first, *self.further) if not seeds(name)]
        for index, one in enumerate(self.values):
            together.setdefault(tuple(one[name] for name in names), []).append(index)
        return list(together.values())

    def label(self, index: int, seed: bool = False) -> str:
        """What is particular to a run, with its seed or apart from it."""
        one = self.values[index]
        names = self.first if seed else self.varied
        said = [f"{n.rsplit('.', 1)[-1]}={one[n]}" for n in names if one[n] != ABSENT]
        return ", ".join(said)


def seeds(name: str) -> bool:
    """Whether a setting is the seed, or follows it."""
    return name == SEED or name.endswith(".seed")


def differences(runs: Sequence[Recorded]) -> Differences:
    """In what the runs differ.

    Settings that take the same values as an earlier one in every run are left out, as those that
    follow another; what a group's choice brings with it is `further`.
    """
    every = [settings_of(run) for run in runs]
    names = list(dict.fromkeys(name for one in every for name in one))
    typed = {name for run in runs for name in run.overrides}
    chosen = {name for run in runs for name in run.choices}
    columns: dict[tuple[str, ...], str] = {}
    for name in sorted(names, key=lambda n: (n not in typed, n not in chosen)):
        column = tuple(one.get(name, ABSENT) for one in every)
        if len(set(column)) > 1 and not (seeds(name) and name != SEED):
            columns.setdefault(column, name)
    found = list(columns.values())
    first = [name for name in found if name in typed] or found
    further = [name for name in found if name not in first and name != SEED]
    if SEED in found:
        first = [*(name for name in first if name != SEED), SEED]
    values = [{name: one.get(name, ABSENT) for name in found} for one in every]
    return Differences(first, further, values)
