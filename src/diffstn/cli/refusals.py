"""One line for words that do not compose, and the exit codes."""

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeGuard

from hydra import compose
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from diffstn.cli.conf import composed, composing, groups, renamed
from diffstn.errors import UNWRITABLE, Misfit, Stopped, UserError
from diffstn.words import closest, one_line

BAD_INPUT, INTERRUPTED = 2, 130
HYDRAS = ("Config group override must be", "File ")  # begin Hydra's plain ValueErrors


class Outcome:
    """Within this context, bad input becomes one line and exit code 2, a signal n 128 + n.

    Args:
        debug: show the traceback, too.
        words: the overrides, from which an error of Hydra's is explained.
        search: further folders of configurations.
    """

    def __init__(self, debug: bool, words: Sequence[str] = (), search: Sequence[str] = ()) -> None:
        self.debug, self.words, self.search = debug, words, search
        self.code = 0

    def __enter__(self) -> "Outcome":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, KeyboardInterrupt | Stopped):
            print(getattr(error, "why", "interrupted"), file=sys.stderr)
            self.code = getattr(error, "code", INTERRUPTED)
            return True
        if (line := line_of(error, self.words, self.search)) is None:
            return False
        if self.debug:
            traceback.print_exception(error)
        print(f"error: {one_line(line)}", file=sys.stderr)
        self.code = BAD_INPUT
        return True


def line_of(error: BaseException | None, words: Sequence[str], search: Sequence[str]) -> str | None:
    """What to say of bad input; None for any other error."""
    if isinstance(error, Misfit):
        return misfit(error, words, search)
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and (error.filename or error.errno in UNWRITABLE):
        return f"{error.filename or 'what it has to say'}: {error.strerror}"  # as of a full disk
    return explained(error, words, search) if _is_hydras(error) else None


@contextmanager
def refused(words: Sequence[str], search: Sequence[str] = ()) -> Iterator[None]:
    """Within this context, bad words are a `UserError` of one line, whoever finds them so."""
    try:
        yield
    except Exception as error:
        if (line := line_of(error, words, search)) is None:
            raise
        raise UserError(line) from error


def _is_hydras(error: BaseException | None) -> TypeGuard[Exception]:
    """Whether Hydra or OmegaConf complains about the words."""
    of_files = HydraException | OmegaConfBaseException | UnicodeDecodeError
    return isinstance(error, of_files) or (
        isinstance(error, ValueError) and str(error).startswith(HYDRAS)
    )


def parse(words: Sequence[str]) -> list[Override]:
    """Parse `key=value` words.

    Raises:
        UserError: one of them is no override.
    """
    parsed = []
    for word in words:
        try:
            parsed += OverridesParser.create().parse_overrides([word])
        except (HydraException, ValueError):  # the second of a number of 5000 digits
            hint = "write key=value, without spaces"
            if not word.isascii():
                hint = f"quote its value: '{word.split('=')[0]}=\"…\"'"
            raise UserError(f"'{word}' is no override; {hint}") from None
    return parsed


def keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Dotted keys of a nested configuration, inner nodes included."""
    if isinstance(node, dict):
        for name, value in node.items():
            if not str(name).startswith("_"):
                yield prefix + str(name)
                yield from keys(value, f"{prefix}{name}.")


def no_setting(word: str, known: Sequence[str]) -> str:
    """A line on a key that is none of those known."""
    now = " or ".join(name for name in renamed().get(word, []) if name in known)
    return f"no setting '{word}'; {f'it is {now} now' if now else closest(word, known)}"


def explained(error: Exception, words: Sequence[str], search: Sequence[str] = ()) -> str:
    """What is wrong with the words, since Hydra does not take them: one line with the remedy."""
    try:
        parsed = parse(words)
        with composing(search) as loader:
            known_groups = groups(loader)
        chosen = [o for o in parsed if o.key_or_group in known_groups and not o.is_add()]
        for override in chosen:
            if line := _no_choice(override, known_groups[override.key_or_group]):
                return line
        lines = [o.input_line or "" for o in parsed if o.key_or_group in known_groups]
        cfg = _taken(lines, search)
        used = [str(name) for name in cfg.hydra.runtime.choices if not name.startswith("hydra")]
        for override in chosen:
            if override.key_or_group not in used:
                return _no_effect(override, used)
        with open_dict(cfg):
            del cfg["hydra"]
        known = [*keys(OmegaConf.to_container(cfg)), *known_groups]
        for override in parsed:
            key = override.key_or_group
            if key in known_groups or key.startswith("hydra") or override.is_add():
                continue
            if key.replace(".", "/") in known_groups:
                word = f"{key.replace('.', '/')}={override.value()}"
                return f"{override.input_line}: write {word}"
            if key not in known:
                return no_setting(key, known)
    except UserError as refused:
        return str(refused)
    except (HydraException, OmegaConfBaseException, ValueError):
        pass
    return " ".join(str(error).split())


def _no_choice(override: Override, options: Sequence[str]) -> str | None:
    value = override.value()
    names = value if isinstance(value, list) else [value]
    for name in names:
        if isinstance(name, str | None) and str(name) not in options and not override.is_delete():
            said = "null" if name is None else str(name)
            line = f"{override.key_or_group}={said}"
            if now := renamed().get(line):
                return f"{line}: it is {now[0]} now"
            hint = closest(said, options)
            rest = f" ({', '.join(options)})" if hint.startswith("did") else ""
            return f"{line}: no such choice; {hint}{rest}"
    return None


def _taken(lines: Sequence[str], search: Sequence[str]) -> DictConfig:
    """What those of the choices that compose with one another make, Hydra's node included."""
    taken: list[str] = []
    cfg = composed("train", [], search, hydra_too=True)
    for line in sorted(lines, key=lambda word: not word.startswith(("model=", "experiment="))):
        with suppress(HydraException, OmegaConfBaseException, ValueError):
            cfg = composed("train", [*taken, line], search, hydra_too=True)
            taken.append(line)
    return cfg


def _no_effect(override: Override, used: Sequence[str]) -> str:
    line, group = override.input_line, override.key_or_group
    if group == "callbacks":
        return f"{line}: callbacks are added, write +{line}"
    return f"{line} has no effect: this model makes no use of it; it uses {', '.join(used)}"


def _fitting(error: Misfit, names: Sequence[str]) -> list[str]:
    """Those of the names that would go with the others, composed side by side in one go."""
    cfg = compose(None, [f"+{error.group}@_{i}={name}" for i, name in enumerate(names)])
    return [name for i, name in enumerate(names) if error.fits(cfg[f"_{i}"]["_target_"])]


def misfit(error: Misfit, words: Sequence[str], search: Sequence[str] = ()) -> str:
    """The line of a choice that does not go with the others, with those that would."""
    with composing(search) as loader:
        names = sorted(set(loader.get_group_options(error.group, ObjectType.CONFIG)))
        try:
            fitting = _fitting(error, names)
        except Exception:  # one configuration is broken: the others are still suggestions
            fitting = []
            for name in names:
                with suppress(Exception):
                    fitting += _fitting(error, [name])
    either = " or ".join(filter(None, [", ".join(fitting[:-1]), *fitting[-1:]]))
    hint = f"; use {error.group}={either}" if fitting else ""
    return f"{error}{hint}"
