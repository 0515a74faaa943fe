"""Type annotations as the schema of settings: a signature says what its yaml may hold."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)


class AtLeast(NamedTuple):
    """A lower bound, as in `Annotated[int, AtLeast(1)]`."""

    least: float

    def admits(self, value: Any) -> bool:
        return value >= self.least

    def __str__(self) -> str:
        return f"of at least {self.least}"


class AtMost(NamedTuple):
    """An upper bound, as in `Annotated[int, AtMost(9)]`."""

    most: float

    def admits(self, value: Any) -> bool:
        return value <= self.most

    def __str__(self) -> str:
        return f"of at most {self.most}"


class OneOf(NamedTuple):
    """A choice of names, as in `Annotated[str, OneOf(("best", "last"))]`."""

    names: tuple[str, ...]

    def admits(self, value: Any) -> bool:
        return value in self.names

    def __str__(self) -> str:
        return ", ".join(self.names)


Count = Annotated[int, AtLeast(1)]
"""A whole number, 1 or more."""
Share = Annotated[float, AtLeast(0), AtMost(1)]
"""Of a whole, or a probability."""
Auto = Annotated[str, OneOf(("auto",))]
"""Left to what knows best."""
NotNegative = Annotated[float, AtLeast(0)]
"""A number, 0 or more."""


def parameters(target: Callable[..., Any]) -> dict[str, Any]:
    """Names and annotations of a callable's parameters.

    Where a constructor passes `**keywords` on, those of its base class are included. An annotation
    that cannot be resolved allows anything.
    """
    return _walked(target)[0]


def takes_any(target: Callable[..., Any]) -> bool:
    """Whether a callable takes keywords of every name."""
    return _walked(target)[1]


def _walked(target: Callable[..., Any]) -> tuple[dict[str, Any], bool]:
    """Parameters up to the first constructor that passes no keywords on; whether all of them do."""
    constructors = (
        [vars(base)["__init__"] for base in inspect.getmro(target) if "__init__" in vars(base)]
        if inspect.isclass(target)
        else [target]
    )
    if len(constructors) > 1 and constructors[-1] is object.__init__:
        constructors.pop()
    found: dict[str, Any] = {}
    for function in constructors:
        try:
            signature, keywords = inspect.signature(function), False
        except ValueError:  # written in C
            return found, True
        try:
            hints = get_type_hints(function, include_extras=True)
        except Exception:  # whatever a name that is not there at run time makes it raise
            hints = {}
        for name, parameter in signature.parameters.items():
            keywords |= parameter.kind is parameter.VAR_KEYWORD
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                found.setdefault(name, hints.get(name, Any))
        if not keywords:
            break
    found.pop("self", None)
    return found, keywords


def fits(value: Any, kind: Any) -> bool:
    """Whether a value from a yaml file can stand where `kind` is annotated.

    Whole numbers fit floats, lists fit sequences and tuples, text fits paths, and a mapping fits
    any class, which is built from it.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any or isinstance(kind, str | TypeVar):
        return True
    if origin is Literal:
        return value in inner
    if inspect.isclass(kind) and issubclass(kind, PurePath):
        return isinstance(value, str)
    if origin is Annotated:
        return fits(value, inner[0]) and all(rule.admits(value) for rule in inner[1:])
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if origin is tuple and Ellipsis not in inner:
        return (
            isinstance(value, list | tuple)
            and len(value) == len(inner)
            and all(map(fits, value, inner))
        )
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        return isinstance(value, list | tuple) and all(fits(one, inner[0]) for one in value)
    if isinstance(value, bool) or kind in (bool, str, type(None)):
        return kind in (bool, str, type(None)) and isinstance(value, kind)
    if kind in (int, float):
        return isinstance(value, (int, float) if kind is float else int)
    return isinstance(value, Mapping)


WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    type(None): "null",
}


def describe(kind: Any) -> str:
    """`kind` in words: 'a whole number of at least 1 or null'."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if origin is Annotated:
        bounds = " and ".join(map(str, inner[1:]))
        return f"one of {bounds}" if inner[0] is str else f"{describe(inner[0])} {bounds}"
    if origin in (Union, UnionType):
        said = [one for one in inner if get_origin(one) or one in WORDS]
        return " or ".join(map(describe, said))
    if origin is tuple and Ellipsis not in inner:
        return f"a list [{', '.join(map(describe, inner))}]"
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        return f"a list, each {describe(inner[0])}"
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return f"pairs {{{': '.join(map(describe, inner))}}}"
    return WORDS.get(kind, "a group of settings with a _target_")
