"""Overrides on the command line: found wanting before any work starts."""

import difflib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from diffstn.errors import UserError

MOST_COMBINATIONS = 64


def parse(overrides: Sequence[str]) -> list[Override]:
    """Parse `key=value` words.

    Raises:
        UserError: one of them is no override.
    """
    parsed = []
    for word in overrides:
        try:
            parsed += OverridesParser.create().parse_overrides([word])
        except HydraException:
            raise UserError(f"'{word}' is no override; write key=value, without spaces") from None
    return parsed


def groups(conf: Path) -> dict[str, list[str]]:
    """Choices of every configuration group: {"data/distortion": ["full", "paper", …], …}.

    Folders below `experiment` are no groups, they sort its choices: {"experiment": ["paper/stn"]}.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(conf.glob("*/**/*.yaml")):
        parts = path.relative_to(conf).with_suffix("").parts
        depth = 1 if parts[0] == "experiment" else len(parts) - 1
        found.setdefault("/".join(parts[:depth]), []).append("/".join(parts[depth:]))
    return found


def keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Dotted keys of a nested configuration, inner nodes included."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield prefix + str(name)
            yield from keys(value, f"{prefix}{name}.")


def closest(word: str, known: Sequence[str]) -> str:
    """A hint: 'did you mean …?' or what there is.

    A key of the same last name comes first, then the one spelt most alike, as a whole or in its
    last name.
    """
    tails: dict[str, str] = {}
    for key in known:
        tails.setdefault(key.rsplit(".", 1)[-1], key)
    tail = word.rsplit(".", 1)[-1]
    alike = difflib.get_close_matches
    for close in (
        [tails[tail]] if tail in tails else [],
        alike(word, known, n=1, cutoff=0.5),
        [tails[match] for match in alike(tail, list(tails), n=1, cutoff=0.6)],
    ):
        if close:
            return f"did you mean {close[0]}?"
    return f"there are: {', '.join(sorted(known)[:30])}"


def combinations(parsed: Sequence[Override]) -> Iterator[list[str]]:
    """What a sweep over `key=a,b` overrides expands to, at most `MOST_COMBINATIONS` of it."""
    choices = []
    for override in parsed:
        line = override.input_line or ""
        if override.is_sweep_override():
            name = line.split("=", 1)[0]
            choices.append([f"{name}={value}" for value in override.sweep_string_iterator()])
        else:
            choices.append([line])
    yield from (list(c) for c in itertools.islice(itertools.product(*choices), MOST_COMBINATIONS))


def check_overrides(conf: Path, config_name: str, overrides: Sequence[str]) -> None:
    """Refuse overrides of unknown keys and groups, naming the nearest valid one.

    Args:
        conf: configuration folder.
        config_name: of the primary configuration.
        overrides: of one job, no sweeps.

    Raises:
        UserError: an unknown key or option.
    """
    known_groups = groups(conf)
    parsed = parse(overrides)
    for override in parsed:
        if override.is_delete():
            raise UserError(f"'{override.input_line}': nothing can be left out; set it instead")
    chosen = [o for o in parsed if o.key_or_group in known_groups]
    for override in chosen:
        option, options = override.value(), known_groups[override.key_or_group]
        name = "null" if option is None else str(option)
        if name not in options:
            raise UserError(
                f"{override.key_or_group}={name}: no such choice; {closest(name, options)}"
                f" ({', '.join(options)})"
            )
    base = composed(conf, config_name, [o.input_line or "" for o in chosen])
    known = list(keys(OmegaConf.to_container(base)))
    for override in parsed:
        key = override.key_or_group
        if key in known_groups or key.startswith("hydra") or override.is_add():
            continue
        if key.replace(".", "/") in known_groups:
            raise UserError(
                f"{key}={override.value()}: write {key.replace('.', '/')}={override.value()}"
            )
        if key not in known:
            raise UserError(f"no setting '{key}'; {closest(key, [*known, *known_groups])}")


def composed(
    conf: Path, config_name: str, overrides: Sequence[str], hydra_too: bool = False
) -> DictConfig:
    """Compose a configuration outside `hydra.main`, Hydra's own node included if asked for.

    Raises:
        UserError: Hydra refuses.
    """
    try:
        with initialize_config_dir(str(conf.resolve()), version_base="1.3"):
            return compose(config_name, list(overrides), return_hydra_config=hydra_too)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(" ".join(str(error).split())) from None


def apply_overrides(config: dict[str, Any], overrides: Sequence[str], conf: Path) -> dict[str, Any]:
    """Change a finished configuration by overrides, as when a run is evaluated anew.

    `group=option` replaces a group by its file in `conf`, and with it the groups within, and
    `key=value` a value that exists. Groups go first, outer ones before those within, whatever the
    order of the words. A new sampler keeps what is the model's and its
    data's of the old one: `hypotheses`, `combine`, `clip` and `clip_quantile`.

    Raises:
        UserError: an unknown key, group or option.
    """
    result = OmegaConf.create(config)
    known_groups = groups(conf)
    parsed = parse(overrides)

    def rank(override: Override) -> tuple[bool, int]:
        name = override.key_or_group
        return name not in known_groups, name.count("/")

    for override in sorted(parsed, key=rank):
        if override.is_sweep_override():
            raise UserError(f"'{override.input_line}' is a sweep; only train.py -m runs those")
        key, value = override.key_or_group, override.value()
        if key in known_groups:
            if value not in known_groups[key]:
                raise UserError(
                    f"{key}={value}: no such choice; {closest(str(value), known_groups[key])}"
                )
            if "@package _global_" in (conf / key / f"{value}.yaml").read_text():
                raise UserError(
                    f"{key}={value}: a run keeps its {key}; override single settings, or train anew"
                )
            node = composed(conf, f"{key}/{value}", [], hydra_too=True)
            chosen = node.hydra.runtime.choices
            within = {name: chosen[name] for name in chosen if name.startswith(f"{key}/")}
            for part in key.split("/"):
                node = node[part]
            dotted = key.replace("/", ".")
            if key == "sampler":
                for name in ("hypotheses", "combine", "clip", "clip_quantile"):
                    if name in node and name in result.sampler:
                        node[name] = result.sampler[name]
            OmegaConf.update(result, dotted, node, merge=False)
            with open_dict(result):
                result.choices.update({**within, key: value})
        else:
            known = list(keys(OmegaConf.to_container(result)))
            if key not in known:
                raise UserError(f"no setting '{key}'; {closest(key, [*known, *known_groups])}")
            OmegaConf.update(result, key, value, merge=False)
    return OmegaConf.to_container(result, resolve=True)  # type: ignore[return-value]
