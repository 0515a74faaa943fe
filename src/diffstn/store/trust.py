"""Whose code a run folder may run."""

from collections.abc import Mapping, Sequence
from typing import Any

from diffstn.errors import UserError
from diffstn.located import located
from diffstn.signatures import defined_in

TRUSTED = ("diffstn", "torch.optim", "pytorch_lightning.callbacks", "pytorch_lightning.loggers")


def check_targets(node: Any, trust: Sequence[str] = ()) -> None:
    """Refuse a configuration that asks for classes of packages which are not trusted.

    A run folder may come from a stranger; its configuration must not run their code. What counts is
    where an object was defined, for modules also offer what they import.

    Args:
        node: plain containers.
        trust: packages that the user trusts beside ours and what we build on.

    Raises:
        UserError: one line that names the package.
    """
    if isinstance(node, Mapping):
        target = node.get("_target_")
        if target is not None:
            _check(str(target), (*TRUSTED, *trust))
        for value in node.values():
            check_targets(value, trust)
    elif isinstance(node, list):
        for value in node:
            check_targets(value, trust)


def _check(target: str, packages: Sequence[str]) -> None:
    prefixes = tuple(f"{package}." for package in packages)
    if target.startswith(prefixes):
        origin = defined_in(target) or getattr(located(target), "__module__", "")
        if f"{origin}.".startswith(prefixes):
            return
    raise UserError(
        f"refusing to build '{target}' from a run folder: if you trust that package, pass"
        f" trust=[{target.split('.')[0]}]"
    )
