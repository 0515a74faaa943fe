"""What is refused before anything is built."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, get_type_hints

from diffstn.annotations import describe, fits, parameters, takes_any
from diffstn.data.kinds import KINDS
from diffstn.errors import Misfit, UserError
from diffstn.located import located
from diffstn.words import closest

WATCHING = ("callbacks", "logger")
"""Groups whose members watch a training, in any number; null is what they leave open."""


def check_value(path: str, value: Any, kind: Any) -> None:
    """Refuse a value that does not fit its annotation, and numbers that are none."""
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{path}={value}: must be a finite number")
    if not fits(value, kind):
        said, wanted = "null" if value is None else value, describe(kind)
        group = f"; write {path.replace('.', '/')}={value}" if isinstance(value, str) else ""
        hint = group if wanted.startswith("a group") else ""
        raise UserError(f"{path}={said}: must be {wanted}{hint}")


def check_node(node: Any, path: str) -> None:
    """Refuse settings that the signature of a node's `_target_` does not allow, nested ones too.

    Raises:
        UserError: a name or a kind that the signature does not know.
    """
    if not isinstance(node, Mapping):
        return
    target = located(node["_target_"]) if "_target_" in node else None
    known = parameters(target) if target else {}
    for name, value in node.items():
        if str(name).startswith("_"):
            continue
        if name in known:
            check_value(f"{path}.{name}", value, known[name])
        elif target and not takes_any(target):
            raise UserError(f"no setting '{path}.{name}'; {closest(str(name), list(known))}")
        check_node(value, f"{path}.{name}")


def schema(settings: type) -> dict[str, Any]:
    """Names and annotations of a dataclass's fields."""
    hints = get_type_hints(settings, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(settings)}


def check_settings(settings: Mapping[str, Any], kind: type, path: str = "") -> None:
    """Refuse values that do not fit the fields of a dataclass; absent ones are passed over.

    Raises:
        UserError: one line that names the setting and what it must be.
    """
    for name, annotation in schema(kind).items():
        if name not in settings:
            continue
        value = settings[name]
        if not dataclasses.is_dataclass(annotation):
            check_value(path + name, value, annotation)
            continue
        assert isinstance(annotation, type)
        if unknown := [key for key in value if key not in schema(annotation)]:
            hint = closest(unknown[0], list(schema(annotation)))
            raise UserError(f"no setting '{path}{name}.{unknown[0]}'; {hint}")
        check_settings(value, annotation, f"{path}{name}.")


def check_config(config: Mapping[str, Any], settings: type) -> None:
    """Refuse values of the wrong kind, and words that nothing would read.

    Args:
        config: a composed configuration, as plain containers.
        settings: a dataclass whose fields are the keys that every run has.

    Raises:
        UserError: one line, with the remedy.
    """
    check_settings(config, settings)
    general = schema(settings)
    wanted = parameters(located(config["model"]["_target_"]))
    for name, value in config.items():
        if name not in general:
            if name not in wanted:
                used = sorted(wanted.keys() & config.keys())
                raise UserError(
                    f"{name} has no effect: model={config.get('choices', {}).get('model')} makes no"
                    f" use of it; it uses {', '.join(used)}"
                )
            if not isinstance(value, Mapping):
                check_value(name, value, wanted[name])
        if name not in WATCHING:
            check_node(value, name)
    for group in WATCHING:
        for name, node in (config.get(group) or {}).items():
            if not (isinstance(node, Mapping) and "_target_" in node):
                keys = [
                    f"{group}.{k}.{s}" for k, n in config[group].items() if n != node for s in n
                ]
                raise UserError(f"no setting '{group}.{name}'; {closest(name, keys or [group])}")
            given = {key: value for key, value in node.items() if value is not None}
            check_node(given, f"{group}.{name}")


def needs_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of data that a model works with: its own word, or that of its first part with one.

    Empty where none of them says.
    """
    model = located(config["model"]["_target_"])
    if needs := getattr(model, "needs", ()):
        return needs
    for name in sorted(parameters(model).keys() & config.keys()):
        node = config[name]
        target = node.get("_target_") if isinstance(node, Mapping) else None
        if target and (needs := getattr(located(target), "needs", ())):
            return needs
    return ()


def check_needs(config: Mapping[str, Any]) -> None:
    """Refuse data that the model cannot work with.

    Raises:
        Misfit: they are of another kind.
    """
    needs, node = needs_of(config), config.get("data")
    names = config.get("choices", {})
    if not needs or (node and getattr(located(node["_target_"]), "kind", None) in needs):
        return
    wanted = " or ".join(KINDS.get(kind, f"data of the kind '{kind}'") for kind in needs)
    raise Misfit(
        f"model={names.get('model')} cannot train on data={names.get('data')}: it needs {wanted}",
        "data",
        lambda other: getattr(other, "kind", None) in needs,
    )
