"""Runs of models of clouds, from training to numbers and figures."""

import json
from pathlib import Path

import numpy as np
import pytest

from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.data.modules.stars import Stars
from diffstn.store.run_folder import RunFolder, open_run
from diffstn.tasks.generate_clouds import GenerateClouds

from .perfect import Perfect

CLOUDS = [
    *("model=ddpm_sets", "network.width=16", "data.points=32", "accelerator=cpu", "epochs=1"),
    *("data.train=64", "data.val=16", "data.test=24", "data.batch_size=16", "task.samples=20"),
    "sampler.steps=3",
]


def test_true_clouds_cannot_be_told_apart_and_one_cloud_can():
    data = Stars(points=64, train=60, val=4, test=60)
    task = GenerateClouds(samples=60, batch_size=32)
    true = Perfect(lambda count, generator: data.draw(count, 64, generator).items)
    result = task.measure(true, data)
    assert set(result["generation"]) == {"generated", "real"}
    assert result["numbers"]["1-NNA %"] == pytest.approx(50, abs=20)
    assert result["numbers"]["COV %"] > 40
    same = Perfect(lambda count, _: data.split("train").items[:1].expand(count, -1, -1))
    result = task.measure(same, data)
    assert result["numbers"]["COV %"] < 3
    assert result["numbers"]["1-NNA %"] > 90
    assert result["distance"] == "Chamfer, squared"


@pytest.fixture(scope="module")
def run(place: Path) -> RunFolder:
    """A run of one epoch."""
    assert train_command([*CLOUDS, "out=run"]) == 0
    return open_run("run")


def test_a_run_ends_with_numbers_their_protocol_and_figures(run: RunFolder):
    metrics = run.read_json("metrics")
    assert metrics["protocol"]["samples"] == 20
    assert metrics["protocol"]["split"] == "test"
    assert "coordinates" in metrics["protocol"]["normalisation"]
    assert {path.name for path in run.figures.iterdir()} == {
        *("training.png", "curves.png", "samples.png", "steps"),
        *("reverse_process.gif", "reverse_process.png"),
    }
    assert "1-NNA %" in GenerateClouds().table(metrics)


def test_another_network_serves(place: Path):
    assert train_command([*CLOUDS, "network=set_transformer", "out=transformer"]) == 0
    assert set(RunFolder("transformer").read_json("metrics")["numbers"]) == {
        *("MMD", "COV %", "1-NNA %", "JSD"),
    }


def test_a_run_is_evaluated_and_sampled_again(run: RunFolder):
    words = ["run=run", "accelerator=cpu"]
    assert run_command("evaluate", [*words, "samples=10", "distance=emd", "out=e"]) == 0
    [path] = Path("e").glob("*.json")
    protocol = json.loads(path.read_text())["protocol"]
    assert (protocol["samples"], protocol["distance"]) == (10, "EMD, exact W1")
    assert run_command("sample", [*words, "save=npz", "n=3", "out=kept"]) == 0
    assert Path("kept/samples.png").exists()
    with np.load("kept/samples.npz") as kept:
        assert kept["items"].shape == (3, 32, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["samples=25"], "the test split has only 24 clouds"),
        (["samples=17", "split=val"], "the val split has only 16 clouds"),
        (["limit=3"], "no setting 'limit'"),
    ],
)
def test_what_an_evaluation_cannot_do_is_refused(
    run: RunFolder, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    assert run_command("evaluate", ["run=run", "accelerator=cpu", *words]) == 2
    assert said in capsys.readouterr().err
    assert not list(run.path.glob("evaluations/*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["network=pose_denoiser"], "PoseDenoiser asks for 'embedding', which this model does not"),
        (["data=mnist"], "use data=point_cloud_folder, solids or stars"),
    ],
)
def test_other_networks_and_data_are_refused(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    assert train_command(["model=ddpm_sets", *words, "out=no"]) == 2
    assert said in capsys.readouterr().err
