"""Numbers as they stand in tables."""

from typing import Any

from torch import Tensor

from diffstn.metrics.labels.class_accuracy import ClassAccuracy

MOST_CLASSES = 100
"""Of a table of confusions that can be read."""


def rounded(value: float | Tensor) -> float:
    """To four significant digits."""
    return float(f"{float(value):.4g}")


def percentages(accuracy: ClassAccuracy) -> dict[str, Any]:
    """Accuracy over all and by class, in percent; a class that was never shown is left out.

    Of up to a hundred classes also `confusion`: images by true class (row) and what was read.
    """
    confusion = accuracy.confusion.double()
    table = {"classes": list(accuracy.classes), "rows": accuracy.confusion.tolist()}
    return {
        "accuracy": round(float(100 * confusion.diagonal().sum() / confusion.sum()), 2),
        "per_class": {
            name: round(100 * float(share), 2)
            for name, share in accuracy.compute().items()
            if not share.isnan()
        },
        **({"confusion": table} if len(accuracy.classes) <= MOST_CLASSES else {}),
    }
