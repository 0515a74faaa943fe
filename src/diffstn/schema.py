"""Settings against the annotations of what they are for."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from diffstn.annotations import describe, fits, parameters, takes_any
from diffstn.errors import UserError
from diffstn.located import located
from diffstn.signatures import Signature
from diffstn.words import closest

Reader = Callable[[str], Signature | None]
"""What the class or function of a dotted name takes; None where that is not known."""
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


def check_node(node: Any, path: str, read: Reader) -> None:
    """Refuse settings that the signature of a node's `_target_` does not allow, nested ones too.

    Args:
        node: plain containers.
        path: where it stands, for the message.
        read: tells what a dotted name takes.

    Raises:
        UserError: a name or a kind that the signature does not know.
    """
    if not isinstance(node, Mapping):
        return
    if not isinstance(node.get("_target_", ""), str):
        raise UserError(f"{path}._target_={node['_target_']}: must be the name of a class")
    known = read(node["_target_"]) if "_target_" in node else None
    for name, value in node.items():
        if str(name).startswith("_"):
            continue
        if known and name in known.parameters:
            check_value(f"{path}.{name}", value, known.parameters[name])
        elif known and not known.takes_any:
            near = closest(str(name), list(known.parameters))
            raise UserError(f"no setting '{path}.{name}'; {near}")
        check_node(value, f"{path}.{name}", read)


def check_numbers(node: Any, path: str = "") -> None:
    """Refuse NaN and infinity wherever they stand.

    Raises:
        UserError: it names the setting.
    """
    if isinstance(node, float) and not math.isfinite(node):
        raise UserError(f"{path}={node}: must be a finite number")
    if isinstance(node, Mapping | list | tuple):
        named = node.items() if isinstance(node, Mapping) else enumerate(node)
        for name, value in named:
            inner = f"{path}.{name}" if isinstance(node, Mapping) and path else path or str(name)
            check_numbers(value, inner)


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
        if not isinstance(value, Mapping):
            check_value(path + name, value, annotation)
        if unknown := [key for key in value if key not in schema(annotation)]:
            hint = closest(unknown[0], list(schema(annotation)))
            raise UserError(f"no setting '{path}{name}.{unknown[0]}'; {hint}")
        check_settings(value, annotation, f"{path}{name}.")


def imported(target: str) -> Signature:
    """What the class or function of a dotted name takes."""
    found = located(target)
    return Signature(parameters(found), takes_any(found))


def check_config(config: Mapping[str, Any], settings: type, read: Reader = imported) -> None:
    """Refuse values of the wrong kind, and words that nothing would read.

    Args:
        config: a composed configuration, as plain containers.
        settings: a dataclass whose fields are the keys that every run has.
        read: tells what a dotted name takes; `signature` refuses what source files alone show to
            be wrong, before anything heavy is imported.

    Raises:
        UserError: one line, with the remedy.
    """
    check_numbers(config)
    check_settings(config, settings)
    general = schema(settings)
    model_node = config.get("model")
    if not isinstance(model_node, Mapping) or not isinstance(model_node.get("_target_"), str):
        raise UserError("there is no model: pass model=<name>")
    model = read(model_node["_target_"])
    for name, value in config.items():
        if model and name not in general:
            wanted = model.parameters
            if name not in wanted:
                used = sorted(wanted.keys() & config.keys())
                raise UserError(
                    f"{name} has no effect: model={config.get('choices', {}).get('model')} makes no"
                    f" use of it; it uses {', '.join(used)}"
                )
            if not isinstance(value, Mapping):
                check_value(name, value, wanted[name])
        if name not in WATCHING:
            check_node(value, name, read)
    for group in WATCHING:
        for name, node in (config.get(group) or {}).items():
            if not (isinstance(node, Mapping) and "_target_" in node):
                keys = [
                    f"{group}.{k}.{s}" for k, n in config[group].items() if n != node for s in n
                ]
                raise UserError(f"no setting '{group}.{name}'; {closest(name, keys or [group])}")
            given = {key: value for key, value in node.items() if value is not None}
            check_node(given, f"{group}.{name}", read)
