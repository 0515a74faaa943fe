"""Few of many, evenly spaced."""

MOST = 24
"""Validations that a sheet or a slider shows."""


def evenly(count: int, most: int = MOST) -> list[int]:
    """At most ``most`` of ``count`` indices, evenly spaced, with the first and the last."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]
