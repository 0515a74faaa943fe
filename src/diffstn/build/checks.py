"""Data that a model cannot work with."""

from collections.abc import Mapping
from typing import Any

from diffstn.annotations import parameters
from diffstn.data.kinds import KINDS
from diffstn.errors import Misfit
from diffstn.located import located


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
