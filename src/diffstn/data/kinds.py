"""What batches can hold, and which of it a model works with."""

from collections.abc import Callable, Mapping
from typing import Any

from diffstn.errors import Misfit
from diffstn.located import located

KINDS = {
    "upright": "images as they are",
    "distorted": "distorted images with their pose",
    "points": "single points",
    "clouds": "clouds of points",
}
"""By the names under which models say what they need."""

Attribute = Callable[[str, str], Any]
"""An attribute of the class of a dotted name; None where there is none."""


def imported_attribute(target: str, name: str) -> Any:
    """The attribute itself."""
    return getattr(located(target), name, None)


def needs_of(config: Mapping[str, Any], attribute: Attribute = imported_attribute) -> Any:
    """The kinds of data that a model works with: its own word, or that of its first part with one.

    Empty where none of them says.
    """
    parts = ["model", *sorted(config.keys() - {"model", "data"})]
    nodes = [config[name] for name in parts if isinstance(config[name], Mapping)]
    targets = [node["_target_"] for node in nodes if "_target_" in node]
    return next(filter(None, (attribute(target, "needs") for target in targets)), ())


def check_needs(config: Mapping[str, Any], attribute: Attribute = imported_attribute) -> None:
    """Refuse data that the model cannot work with.

    Raises:
        Misfit: they are of another kind.
    """
    needs, node = needs_of(config, attribute), config.get("data")
    names = config.get("choices", {})
    if not needs or (node and attribute(node["_target_"], "kind") in needs):
        return
    wanted = " or ".join(KINDS.get(kind, f"data of the kind '{kind}'") for kind in needs)
    raise Misfit(
        f"model={names.get('model')} cannot train on data={names.get('data')}: it needs {wanted}",
        "data",
        lambda other: attribute(other, "kind") in needs,
    )
