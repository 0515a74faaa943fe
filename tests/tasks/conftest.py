"""What tests of tasks share."""

import dataclasses
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from diffstn.build import Built
from diffstn.data.sources import mnist

Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measure() -> Measure:
    """`measure(built, seed=0, **settings)`: as a run does, with changed settings of the task.

    The seconds are left out: the rest depends on the seed alone.
    """

    def numbers(built: Built, seed: int = 0, **settings: Any) -> dict[str, Any]:
        task = dataclasses.replace(built.task, **settings)
        built.data.setup()
        task.check(built.model, built.data)
        with torch.inference_mode():
            found = task.measure(built.model.eval(), built.data, seed)
        assert {"numbers", "protocol"} <= set(found)
        assert task.table(found)
        return {name: value for name, value in found.items() if name != "seconds"}

    return numbers


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """Where statistics of real images are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "diffstn"


load_once = functools.cache(mnist.load_mnist)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory for the runs that a module's tests share, with figures and a cache."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["train.py"])
        patch.setattr(mnist, "load_mnist", load_once)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield folder
