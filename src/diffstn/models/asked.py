"""The classes that a caller asks for."""

from collections.abc import Sequence

import torch
from torch import Tensor


def asked_labels(n: int, label: int | str | Tensor | None, classes: Sequence[str]) -> Tensor | None:
    """A class for each of n items, (n,); None where none is asked for.

    Args:
        label: the class of all, by number or name, or a class for each, (n,).

    Raises:
        ValueError: there is no such class.
    """
    if label is None:
        return None
    if isinstance(label, str):
        if label not in classes:
            raise ValueError(f"label={label!r}: the classes are {', '.join(classes)}")
        label = list(classes).index(label)
    labels = torch.as_tensor(label, dtype=torch.long).expand(n)
    if int(labels.min()) < 0 or int(labels.max()) >= len(classes):
        raise ValueError(f"label={label}: the classes are 0 to {len(classes) - 1}")
    return labels
