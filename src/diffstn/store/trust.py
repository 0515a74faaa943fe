"""Whose code a run folder may run, and where it may write."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from diffstn.errors import UserError
from diffstn.located import located
from diffstn.signatures import defined_in

ROOMS = (
    *("adapters", "callbacks", "codecs", "data", "diffusion", "metrics", "models", "networks"),
    *("optim", "spatial", "tasks"),
)
"""Our packages of what configurations are made of."""
FUNCTIONS = ("diffstn.data.modules.", "diffstn.optim.")
"""Where functions are, too: elsewhere a configuration names classes alone."""
TRUSTED = (
    *(f"diffstn.{room}" for room in ROOMS),
    *("torch.optim", "pytorch_lightning.callbacks", "pytorch_lightning.loggers"),
)
WATCHING = ("callbacks", "logger")
"""Groups whose members write files."""
PLACES = re.compile(r"dir|folder|path|file|root|location|uri|url|host")
"""In the names of settings that say where."""


def check_targets(node: Any, trust: Sequence[str] = ()) -> None:
    """Refuse a configuration that asks for classes of packages which are not trusted.

    A run folder may come from a stranger; its configuration must not run their code, nor ours that
    trains, fetches or writes. What counts is where an object was defined, for modules also offer
    what they import.

    Args:
        node: plain containers.
        trust: packages that the user trusts beside ours and what we build on.

    Raises:
        UserError: one line that names the package.
    """
    if isinstance(node, Mapping):
        target = node.get("_target_")
        if target is not None:
            _check(str(target), trust)
        for value in node.values():
            check_targets(value, trust)
    elif isinstance(node, list):
        for value in node:
            check_targets(value, trust)


def _check(target: str, trust: Sequence[str]) -> None:
    theirs = tuple(f"{package}." for package in trust)
    prefixes = (*(f"{package}." for package in TRUSTED), *theirs)
    if target.startswith(prefixes):
        origin = defined_in(target) or getattr(located(target), "__module__", "")
        known = f"{origin}.".startswith(prefixes)
        if known and (target.startswith(theirs or ("\n",)) or _is_part(target)):
            return
    raise UserError(
        f"refusing to build '{target}' from a run folder: if you trust that package, pass"
        f" trust=[{target.split('.')[0]}]"
    )


def _is_part(target: str) -> bool:
    """Whether a dotted name is that of a class, or of a function that makes a part."""
    name = target.rsplit(".", 1)[-1]
    return name[0].isupper() or (target.startswith(FUNCTIONS) and name[0].islower())


def check_places(config: Mapping[str, Any], run: Path, trust: Sequence[str] = ()) -> None:
    """Refuse a run whose callbacks or loggers write elsewhere than into its folder.

    Args:
        config: of the run.
        run: its folder.
        trust: places, among packages, where they may write.

    Raises:
        UserError: it names the place.
    """
    home = os.path.realpath(run)
    for group in WATCHING:
        stack: list[tuple[str, Any]] = [(group, config.get(group))]
        while stack:
            name, value = stack.pop()
            if isinstance(value, Mapping):
                stack += [(str(key), one) for key, one in value.items()]
            elif isinstance(value, list):
                stack += [(name, one) for one in value]
            elif not isinstance(value, str) or name == "_target_" or value in trust:
                continue
            elif _elsewhere(name, value, home):
                raise UserError(
                    f"refusing to write to {value!r}, which {group} of {run} name: if you trust"
                    f" that, pass trust=[{value!r}]"
                )


def _elsewhere(name: str, value: str, home: str) -> bool:
    """Whether a setting may lead out of the run's folder."""
    path = PurePath(value)
    if "://" in value or value.startswith("file:") or ".." in path.parts:
        return True
    try:
        within = os.path.commonpath([home, os.path.realpath(value)]) == home if value else True
    except ValueError:
        return True  # no system has such a place: a null byte, half a character
    if path.is_absolute():
        return not within
    return bool(PLACES.search(name.lower())) and "name" not in name and not within
