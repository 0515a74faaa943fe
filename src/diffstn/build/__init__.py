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
from diffstn.build.part import Kept, kept_of, part, with_part

__all__ = [
    "Built",
    "Factory",
    "Kept",
    "asks_for",
    "build",
    "build_data",
    "build_model",
    "build_task",
    "fitted",
    "instantiated",
    "kept_of",
    "load_model",
    "needed",
    "part",
    "untrained",
    "user_errors",
    "with_part",
]
