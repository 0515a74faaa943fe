"""A choice by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def named(what: str, choice: str | T, choices: Mapping[str, T]) -> T:
    """The object that goes by the name `choice`, or `choice` itself if it is one already.

    Raises:
        ValueError: no object goes by that name; the message says which do.
    """
    if not isinstance(choice, str):
        return choice
    if choice not in choices:
        raise ValueError(f"unknown {what} {choice!r}; choose one of {', '.join(choices)}")
    return choices[choice]
