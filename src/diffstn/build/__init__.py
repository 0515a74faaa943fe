"""From a configuration to objects. Knows no model, no part and no setting by name."""

from diffstn.build.fitted import Factory, asks_for, fitted
from diffstn.build.instantiated import instantiated, user_errors
from diffstn.build.load import load_model
from diffstn.build.model import (
    Built,
    build,
    build_data,
    build_model,
    build_task,
    needed,
    untrained,
)

__all__ = [
    "Built",
    "Factory",
    "asks_for",
    "build",
    "build_data",
    "build_model",
    "build_task",
    "fitted",
    "instantiated",
    "load_model",
    "needed",
    "untrained",
    "user_errors",
]
