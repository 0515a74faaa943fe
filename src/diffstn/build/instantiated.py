"""From a node of a configuration to an object."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import hydra.utils
from hydra.errors import InstantiationException
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from diffstn.errors import UserError

COMPLAINTS = (ValueError, RuntimeError, ArithmeticError, TypeError, MisconfigurationException)
"""What constructors raise at arguments that they cannot take."""


@contextmanager
def user_errors(name: str) -> Iterator[None]:
    """Within this context, a constructor's complaint about its arguments is the user's error.

    Raises:
        UserError: the complaint, in one line that starts with `name`.
    """
    try:
        yield
    except UserError:
        raise
    except COMPLAINTS as error:
        raise UserError(f"{name}: {' '.join(str(error).split())}") from error


def instantiated(node: Any, group: str) -> Any:
    """What a `_target_` node describes, nested nodes included; anything else as it is.

    Args:
        node: plain containers.
        group: under which it stands, for the errors; a factory keeps it as its attribute `group`.

    Raises:
        UserError: there is no such class, or it refuses its arguments.
    """
    if not isinstance(node, Mapping) or "_target_" not in node:
        return node
    with user_errors(group):
        try:
            made = hydra.utils.instantiate(dict(node), _convert_="all")
        except InstantiationException as error:
            cause = error.__cause__
            if isinstance(cause, COMPLAINTS):
                raise cause from error
            raise UserError(" ".join(str(error).split())) from error
    if node.get("_partial_"):
        made.group = group
    return made
