"""A configuration that needs no other run any more."""

from collections.abc import Mapping
from typing import Any

from diffstn.located import located


def self_contained(node: Any) -> Any:
    """A copy in which every `_target_` with a method `self_contained` has rewritten its own node.

    A class that is built from another run's folder keeps in this way what it takes to be built
    without it.
    """
    if isinstance(node, list):
        return [self_contained(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    if "_target_" in node:
        rewrite = getattr(located(node["_target_"]), "self_contained", None)
        if rewrite is not None:
            return rewrite(node)
    return {name: self_contained(value) for name, value in node.items()}
