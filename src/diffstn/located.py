"""Classes and functions by their dotted names."""

import importlib
from typing import Any

from diffstn.errors import UserError


def located(target: str) -> Any:
    """The class or function that a dotted name stands for.

    The longest part that is a module is imported; the rest are attributes.

    Raises:
        UserError: there is none; an error within a module on the way is its reason.
    """
    parts = target.split(".")
    reason: object = "it is no dotted name"
    for end in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:end])
        try:
            found: Any = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise UserError(f"_target_={target}: {error}") from error
            reason = error
            continue
        except Exception as error:  # whatever the module raises when it is imported
            raise UserError(f"_target_={target}: {' '.join(str(error).split())}") from error
        try:
            for part in parts[end:]:
                found = getattr(found, part)
            return found
        except AttributeError as error:
            reason = error
            break
    raise UserError(
        f"_target_={target}: there is no such class ({reason}); a package of your own has to be"
        " installed, or to lie in the working directory"
    )
