"""Every configuration that ships composes; every pair of model and data trains or is refused."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffstn.errors import UserError
from diffstn.runs.checks import check_config, try_out
from diffstn.runs.command import train_command
from diffstn.runs.folder import RunFolder
from diffstn.runs.overrides import composed, groups

CONF = Path(__file__).parents[1] / "conf"
GROUPS = {name: choices for name, choices in groups(CONF).items() if name != "hydra"}
MODELS, DATA = GROUPS["model"], GROUPS["data"]
UPRIGHT = ("data=mnist", "data=cifar10")

Compose = Callable[..., dict[str, Any]]


def choices() -> Iterator[str]:
    for group, names in GROUPS.items():
        yield from (f"{group}={name}" for name in names)


def test_there_are_choices():
    assert {"model", "data", "data/distortion", "schedule", "sampler", "experiment"} <= set(GROUPS)
    assert len(list(choices())) > 40


@pytest.mark.parametrize("choice", choices())
def test_every_choice_composes_into_what_can_be_built(config: Compose, choice: str):
    fitting = ["model=classifier"] if choice in UPRIGHT else []
    composed_config = config(choice, "classifier=joint", *fitting)
    check_config(composed_config, CONF)
    try_out(composed_config)


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_the_other_commands_compose(command: str):
    assert composed(CONF, command, []).accelerator.name == "auto"


@pytest.mark.parametrize("distortion", GROUPS["data/distortion"])
@pytest.mark.parametrize("data", ["affine_mnist", "affine_cifar10"])
def test_every_distortion_fits_every_data_set(config: Compose, data: str, distortion: str):
    built = config("classifier=joint", f"data={data}", f"data/distortion={distortion}")
    check_config(built, CONF)
    try_out(built)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the shape of CIFAR-10, of noise."""
    generator = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("cifar") / "cifar10.npz"
    arrays = {}
    for split, size in (("train", 5064), ("test", 100)):
        arrays[f"{split}_images"] = generator.integers(0, 256, (size, 32, 32, 3), np.uint8)
        arrays[f"{split}_labels"] = generator.integers(0, 10, size, np.uint8)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("model", MODELS)
def test_every_pair_trains_two_steps_or_is_refused_by_what_fits(
    config: Compose,
    train: Callable[..., int],
    photographs: Path,
    capsys: pytest.CaptureFixture[str],
    model: str,
    data: str,
):
    source = [f"data.source={photographs}"] if "cifar10" in data else []
    pair = [f"model={model}", f"data={data}", *source]
    code = train(*pair, "sampler.steps=2", "evaluate.hypotheses=[1]", "out=run")
    run = RunFolder("run")
    if model != "classifier" and not data.startswith("affine_"):
        assert code == 2
        error = capsys.readouterr().err
        assert f"model={model} cannot train on data={data}" in error
        assert "use data=affine_cifar10 or affine_mnist" in error
        assert not run.path.exists()
        return
    assert code == 0
    assert run.read_json("status")["state"] == "done"
    with run.metrics_csv.open(newline="") as file:
        [row] = csv.DictReader(file)
    assert row["step"] == "2"
    assert np.isfinite(float(row["train/loss"]))
    assert 0 <= run.read_json("metrics")["accuracy"] <= 100


def test_the_judge_of_digits_is_refused_photographs(
    workplace: Path, capsys: pytest.CaptureFixture[str]
):
    assert train_command(CONF, ["data=affine_cifar10", "out=run"]) == 2
    error = capsys.readouterr().err
    assert "use classifier=joint" in error
    assert error.count("\n") == 1
    assert not Path("run").exists()


def test_a_pair_that_fits_is_accepted_with_no_word_from_the_names(config: Compose):
    with pytest.raises(UserError, match=r"it needs distorted pictures"):
        check_config(config("data=mnist"))
