"""What tests of models and runs share: a few digits, and runs of seconds."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from diffstn.data import mnist
from diffstn.runs.assembly import Assembly
from diffstn.runs.command import train_command

CONF = Path(__file__).parents[1] / "conf"

SMALL = [
    "data.limit_train=64",
    "data.limit_val=40",
    "data.limit_test=40",
    "data.batch_size=32",
    "epochs=1",
    "accelerator=cpu",
    "accelerator.precision=fp32",
]
"""Overrides that make any run end within a second."""

TINY = [*SMALL, "classifier=joint", "encoder=fc"]
"""The same for a run whose networks do not matter."""


@pytest.fixture(scope="session")
def mnist_once() -> Callable[..., Any]:
    """`load_mnist`, which unpacks the digits for the first caller alone."""
    return functools.cache(mnist.load_mnist)


@pytest.fixture
def workplace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist_once: Callable[..., Any]
) -> Path:
    """An empty working directory for commands that are run in this process, without figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.setattr(mnist, "load_mnist", mnist_once)
    monkeypatch.setattr("diffstn.runs.training.draw_run", lambda *args, **kwargs: [])
    return tmp_path


@pytest.fixture
def train(workplace: Path) -> Callable[..., int]:
    """`train(*overrides)`: a tiny run by the command line's own function; returns the exit code."""
    return lambda *overrides: train_command(CONF, [*TINY, *overrides])


@pytest.fixture
def config() -> Callable[..., dict[str, Any]]:
    """`config(*overrides)`: conf/train.yaml composed, as plain containers."""
    from diffstn.runs.command import plain_config
    from diffstn.runs.overrides import composed

    return lambda *overrides: plain_config(composed(CONF, "train", overrides), {})


@pytest.fixture
def assembly(
    config: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    mnist_once: Callable[..., Any],
) -> Callable[..., Assembly]:
    """`assembly(*overrides)`: data and model of a tiny configuration, seeded."""
    monkeypatch.setattr(mnist, "load_mnist", mnist_once)

    def build(*overrides: str) -> Assembly:
        torch.manual_seed(0)
        return Assembly(config(*TINY, *overrides))

    return build
