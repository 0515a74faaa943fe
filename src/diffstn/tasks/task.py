"""What every task can do."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from diffstn.data.labelled import Labelled
from diffstn.errors import UserError

Precision = Callable[[], AbstractContextManager]
Figure = tuple[str, Path]
"""A name for dashboards, and the file."""


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """A purpose of models. Its fields are its settings; what it lacks cannot be set.

    `measure`, `plot` and `to_keep` are called in inference mode and in the precision of the run,
    with the model in evaluation mode on its device.
    """

    def check(self, model: Any, data: Any) -> None:
        """Refuse a model that cannot be measured so, or data that do not suffice.

        Called twice, before and after the data are read (`data.is_loaded`).

        Raises:
            UserError: one line, with the remedy.
        """
        return

    @abstractmethod
    def measure(self, model: Any, data: Any, seed: int = 0) -> dict[str, Any]:
        """The model's numbers.

        Returns:
            Anything that can stand in a JSON file, with `numbers`, {name: float}, by which runs are
            compared, and `protocol`, how they came about.
        """

    @abstractmethod
    def table(self, metrics: Mapping[str, Any]) -> str:
        """What `measure` found as tables for the terminal, in Markdown."""

    def plot(self, model: Any, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """Figures of what the model does, written to `folder`."""
        return []

    def callbacks(
        self, model: Any, data: Any, folder: Path, precision: Precision
    ) -> list[pl.Callback]:
        """What watches training.

        Args:
            folder: of figures.
            precision: makes the context to sample in.
        """
        return []

    def to_keep(self, model: Any, data: Any, n: int, seed: int = 0) -> Labelled:
        """n items to be kept as data: images (n, C, H, W) in [0, 1], or points; with their labels.

        Raises:
            UserError: the task has none.
        """
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()
        raise UserError(f"task={name} has no samples to keep: leave save= out")
