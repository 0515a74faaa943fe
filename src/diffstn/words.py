"""Words of a command line, and slips of the keyboard."""

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from diffstn.errors import UserError

LISTED = 12
"""Of known names, where none is close."""


def closest(word: str, known: Sequence[str]) -> str:
    """A hint: 'did you mean …?' or what there is.

    Keys of the same last name come first, then the one spelt most alike, as a whole or in its last
    name.
    """
    tails: dict[str, list[str]] = {}
    for key in dict.fromkeys(known):
        tails.setdefault(key.rsplit(".", 1)[-1], []).append(key)
    tail = word.rsplit(".", 1)[-1]
    alike = difflib.get_close_matches
    for close in (
        [key for key in tails.get(tail, []) if key != word][:3],
        alike(word, known, n=1, cutoff=0.5),
        [tails[match][0] for match in alike(tail, list(tails), n=1, cutoff=0.6)],
    ):
        if close:
            return f"did you mean {' or '.join(close)}?"
    there = sorted(set(known))
    return f"there are: {', '.join(there[:LISTED])}{', …' if len(there) > LISTED else ''}"


def one_line(text: str, most: int = 390) -> str:
    """`text` on one line that a terminal shows as it is; of a long one, the beginning and the end.

    What is refused is repeated to whoever typed it, and may hold anything.
    """
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
    return shown if len(shown) <= most else f"{shown[: most - 123]} … {shown[-120:]}"


def typed(
    words: Sequence[str], defaults: Mapping[str, Any], from_nought: Sequence[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """Settings of a small command, each of its default's type, and the words that are none.

    Args:
        defaults: name → value; whole numbers are at least 1, or at least 0 if `from_nought`, others
            from 0 to 1, and lists are of words, [ONE,TWO].

    Raises:
        UserError: there is no such setting, or it takes another kind of value.
    """
    settings, others = dict(defaults), []
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            others.append(word)
        elif name not in defaults:
            raise UserError(f"no setting '{name}'; {closest(name, list(defaults))}")
        elif isinstance(defaults[name], bool):
            if value.lower() not in ("true", "false"):
                raise UserError(f"{word}: must be true or false")
            settings[name] = value.lower() == "true"
        elif isinstance(defaults[name], list):
            settings[name] = [one.strip("'\" ") for one in value.strip("[]").split(",") if one]
        elif isinstance(defaults[name], float):
            if not re.fullmatch(r"0(\.\d*)?|\.\d+|1(\.0*)?", value):
                raise UserError(f"{word}: must be a number from 0 to 1")
            settings[name] = float(value)
        elif not isinstance(defaults[name], int):
            settings[name] = value
        elif value.isdecimal() and (int(value) or name in from_nought):
            settings[name] = int(value)
        else:
            raise UserError(f"{word}: must be a whole number of at least 1")
    return settings, others


def asks_to_resume(words: Sequence[str]) -> bool:
    """Whether `resume=true` is among the words."""
    return any(word.lower() in ("resume=true", "resume=1") for word in words)


def last_words(words: Sequence[str]) -> dict[str, str]:
    """Of every key the last word, which counts."""
    return {word.split("=")[0]: word for word in words}


def value_of(word: str) -> str:
    """The value of a word `key=value`: without Hydra's quotes, and with what `${…}` stands for.

    Raises:
        UserError: it is no override, or what it refers to is not there.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        (override,) = OverridesParser.create().parse_overrides([word])
        if override.is_sweep_override():
            raise ValueError(f"with commas, write {as_word(*word.split('=', 1))}")
        return str(OmegaConf.create({"value": override.value()}).value)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(f"'{word}' names no folder: {str(error).splitlines()[0]}") from None


def as_word(key: str, value: object) -> str:
    """`key=value` as it is typed in a shell, whatever characters the value has."""
    text = str(value)
    if not re.fullmatch(r"[\w./~@+:%-]+", text, re.ASCII):
        escaped = text.replace("'", "\\'")
        text = f"'{escaped}'"
    word = f"{key}={text}"
    return f'"{word}"' if text[0] == "'" and not set(word) & set('"$`\\!') else shlex.quote(word)
