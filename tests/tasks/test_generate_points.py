"""Runs of models of points, from training to numbers and figures."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.data.modules.shape_points import ShapePoints
from diffstn.store.run_folder import RunFolder, open_run
from diffstn.tasks.generate_points import GeneratePoints

from .perfect import Perfect

POINTS = [
    *("model=ddpm_points", "network.width=16", "accelerator=cpu", "epochs=2", "sampler.steps=3"),
    *("data.train=64", "data.val=16", "data.test=24", "data.batch_size=16", "task.samples=20"),
]


def test_true_points_score_like_their_floor():
    data = ShapePoints("circle", train=10, val=10, test=10)
    model = Perfect(lambda count, generator: data.draw(count, generator, 0).items)
    numbers = GeneratePoints(samples=500).measure(model, data)["numbers"]
    assert set(numbers) == {"Chamfer squared ratio", "Chamfer ratio", "EMD ratio"}
    assert numbers["Chamfer ratio"] == pytest.approx(1, abs=0.15)
    assert numbers["Chamfer squared ratio"] == pytest.approx(1, abs=0.3)
    assert 0.4 < numbers["EMD ratio"] < 2.5


def test_points_beside_the_shape_score_as_far_as_they_are():
    data = ShapePoints("square", train=10, val=10, test=10)
    model = Perfect(  # every point 0.2 outside
        lambda count, generator: data.draw(count, generator, 0).items * 1.25
    )
    found = GeneratePoints(samples=500).measure(model, data)
    [row] = found["generation"].values()
    assert row["Chamfer"] == pytest.approx(0.4, rel=0.05)
    assert row["Chamfer squared"] == pytest.approx(0.08, rel=0.1)


@pytest.fixture(scope="module")
def run(place: Path) -> RunFolder:
    """A run of two epochs."""
    assert train_command([*POINTS, "out=run"]) == 0
    return open_run("run")


def test_a_run_ends_with_numbers_their_protocol_and_figures(run: RunFolder):
    metrics = run.read_json("metrics")
    assert metrics["protocol"]["samples"] == 20
    assert "split" not in metrics["protocol"]
    assert "coordinates" in metrics["protocol"]["normalisation"]
    status = run.read_json("status")
    assert status["state"] == "done"
    assert set(metrics["numbers"]) <= set(status)
    assert {path.name for path in run.figures.iterdir()} == {
        *("training.png", "curves.png", "samples.png", "steps"),
        *("reverse_process.gif", "reverse_process.png"),
    }


def test_a_run_is_evaluated_and_sampled_again(run: RunFolder):
    words = ["run=run", "accelerator=cpu"]
    assert run_command("evaluate", [*words, "samples=10", "out=e"]) == 0
    [path] = Path("e").glob("*.json")
    assert json.loads(path.read_text())["protocol"]["samples"] == 10
    for _ in range(2):
        assert run_command("sample", words) == 0
    assert len(list(run.path.glob("samples/*/samples.png"))) == 2


def test_points_are_kept_as_numbers(run: RunFolder, capsys: pytest.CaptureFixture[str]):
    words = ["run=run", "accelerator=cpu", "figures=false", "n=7"]
    assert run_command("sample", [*words, "save=npz", "out=kept"]) == 0
    with np.load("kept/samples.npz") as kept:
        assert kept["items"].shape == (7, 2)
        assert kept["items"].dtype == np.float32
        assert kept["labels"].tolist() == [-1] * 7  # it hears none
    assert run_command("sample", [*words, "save=png", "out=none"]) == 2
    assert "save=png is for images, and these are points" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["split=val", "distance=emd", "limit=3"])
def test_what_an_evaluation_would_not_heed_is_refused(
    run: RunFolder, capsys: pytest.CaptureFixture[str], word: str
):
    assert run_command("evaluate", ["run=run", word]) == 2
    name = word.split("=", 1)[0]
    assert f"no setting '{name}'" in capsys.readouterr().err
    assert not list(run.path.glob("evaluations/*"))


def test_a_run_goes_on_and_its_sheet_with_it(run: RunFolder):
    assert train_command(["out=run", "resume=true", "epochs=4"]) == 0
    sheet = torch.load(run.checkpoints / "last.ckpt", weights_only=True)["callbacks"]
    [state] = [value for name, value in sheet.items() if name.startswith("SampleSheet")]
    assert len(state["steps"]) == 4
    with run.metrics_csv.open(newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]


def test_a_conditional_model_is_asked_for_every_shape(place: Path):
    words = [*POINTS, "data.shape=all", "model.conditional=true", "epochs=1", "out=all"]
    assert train_command(words) == 0
    table = RunFolder("all").read_json("metrics")["generation"]
    assert list(table)[:3] == ["circle", "square", "dinohead"]
    assert len(table) == 7


@pytest.mark.slow
def test_a_sweep_of_them_ends_in_a_table(place: Path, capsys: pytest.CaptureFixture[str]):
    assert train_command(["-m", *POINTS, "epochs=1", "seed=1,2"]) == 0
    out = capsys.readouterr().out
    assert "Chamfer ratio" in out
    assert "2/2" in out


def test_clouds_are_refused(place: Path, capsys: pytest.CaptureFixture[str]):
    assert train_command(["model=ddpm_points", "data=stars", "out=no"]) == 2
    error = capsys.readouterr().err
    assert "model=ddpm_points cannot train on data=stars: it needs single points" in error
    assert "use data=shapes" in error
