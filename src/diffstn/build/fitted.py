"""Factories that are given what they ask for."""

import functools
import inspect
from collections.abc import Callable, Container, Sequence
from typing import Any

from diffstn.annotations import parameters
from diffstn.errors import Misfit
from diffstn.located import located

Factory = Callable[..., Any]
"""A class or function with some settings bound: Hydra's `_partial_: true`."""


def asks_for(factory: Factory) -> set[str]:
    """Names of the parameters that a factory still takes."""
    bound: set[str] = set()
    while isinstance(factory, functools.partial):
        bound |= factory.keywords.keys()
        factory = factory.func
    return parameters(factory).keys() - bound


def lacked_by(factory: Factory, known: Container[str]) -> list[str]:
    """Names of what a factory cannot be called without, beside what is known."""
    mandatory = (p for p in inspect.signature(factory).parameters.values() if p.default is p.empty)
    keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in mandatory if p.kind in keyword and p.name not in known]


def fitted(factory: Factory, must: Sequence[str] = (), **known: Any) -> Any:
    """Call a factory with those of the known things that its signature names.

    A model knows what its parts may need (channels, size, classes, …); a network says by its
    parameters what it does need. So every network fits every model that knows enough.

    Args:
        factory: what to call.
        must: what it has to take, for the model relies on it.
        known: by name.

    Raises:
        Misfit: the factory has no parameter that it must have, or needs what is not known.
    """
    takes = asks_for(factory)
    function = factory.func if isinstance(factory, functools.partial) else factory
    if lacking := [name for name in must if name not in takes]:
        raise Misfit(
            f"{function.__name__} does not take '{lacking[0]}', which this model has to tell it",
            getattr(factory, "group", ""),
            lambda other: set(must) <= parameters(located(other)).keys(),
        )
    if strange := lacked_by(factory, known):
        raise Misfit(
            f"{function.__name__} asks for '{strange[0]}', which this model does not have",
            getattr(factory, "group", ""),
            lambda other: strange[0] not in parameters(located(other)),
        )
    return factory(**{name: value for name, value in known.items() if name in takes})
