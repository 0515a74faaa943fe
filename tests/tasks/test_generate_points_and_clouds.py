"""Runs of generative models, from training to numbers and images."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffstn.runs.command import run_command, train_command
from diffstn.runs.evaluating import evaluate_run
from diffstn.runs.generation import cloud_generation, point_generation
from diffstn.runs.sampling import sample_run

from diffstn.data.modules.shape_points import ShapePoints
from diffstn.data.modules.stars import Stars
from diffstn.store.run_folder import RunFolder, open_run

CONF = Path(__file__).parents[2] / "conf"
SMALL = [
    *("accelerator=cpu", "epochs=2", "sampler.steps=3", "evaluate.samples=20"),
    *("data.train=64", "data.val=16", "data.test=24", "data.batch_size=16"),
]
POINTS = ["model=ddpm_points", "network.width=16", *SMALL]
SETS = ["model=ddpm_sets", "network.width=16", "data.points=32", *SMALL]


class Perfect:
    """A model whose samples are the data."""

    conditional = True

    def __init__(self, draw: Callable[..., torch.Tensor]) -> None:
        self.draw = draw

    def sample(self, x_T, label, generator):
        return self.draw(x_T.shape, label, generator)


def test_true_points_score_like_their_floor():
    data = ShapePoints("circle", train=10, val=10, test=10)
    model = Perfect(lambda shape, label, generator: data.draw(shape[0], generator, 0).items)
    numbers = point_generation(model, data, 500, 0)["numbers"]  # type: ignore[arg-type]
    assert set(numbers) == {"Chamfer squared ratio", "Chamfer ratio", "EMD ratio"}
    assert numbers["Chamfer ratio"] == pytest.approx(1, abs=0.15)
    assert numbers["Chamfer squared ratio"] == pytest.approx(1, abs=0.3)
    assert 0.4 < numbers["EMD ratio"] < 2.5


def test_points_beside_the_shape_score_as_far_as_they_are():
    data = ShapePoints("square", train=10, val=10, test=10)
    model = Perfect(
        lambda shape, label, generator: data.draw(shape[0], generator, 0).items * 1.25
    )  # every point 0.2 outside
    [row] = point_generation(model, data, 500, 0)["generation"].values()  # type: ignore[arg-type]
    assert row["Chamfer"] == pytest.approx(0.4, rel=0.05)
    assert row["Chamfer squared"] == pytest.approx(0.08, rel=0.1)


def test_true_clouds_cannot_be_told_apart_and_one_cloud_can():
    data = Stars(points=64, train=60, val=4, test=60)
    true = Perfect(lambda shape, label, g: data.draw(shape[0], shape[1], g).items)
    result = cloud_generation(true, data, "test", 60, 0, 32, "chamfer")  # type: ignore[arg-type]
    assert set(result["generation"]) == {"generated", "real"}
    assert result["numbers"]["1-NNA %"] == pytest.approx(50, abs=20)
    assert result["numbers"]["COV %"] > 40
    same = Perfect(lambda shape, label, g: data.split("train").items[:1].expand(shape[0], -1, -1))
    result = cloud_generation(same, data, "test", 60, 0, 32, "chamfer")  # type: ignore[arg-type]
    assert result["numbers"]["COV %"] < 3
    assert result["numbers"]["1-NNA %"] > 90
    assert result["distance"] == "Chamfer, squared"


@pytest.mark.parametrize("settings", [POINTS, SETS, [*SETS, "network=set_transformer"]])
def test_a_run_trains_resumes_evaluates_and_draws(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, settings: list[str]
):
    monkeypatch.undo()
    monkeypatch.chdir(workplace)
    monkeypatch.setattr("sys.argv", ["train.py"])
    assert train_command(CONF, [*settings, "out=run"]) == 0
    run = open_run("run")
    metrics = run.read_json("metrics")
    assert metrics["protocol"]["samples"] == 20
    assert "coordinates" in metrics["protocol"]["normalisation"]
    assert run.read_json("status")["state"] == "done"
    assert set(metrics["numbers"]) <= set(run.read_json("status"))
    names = {path.name for path in run.figures.iterdir()}
    assert names == {
        *("training.png", "curves.png", "samples.png"),
        *("reverse_process.gif", "reverse_process.png"),
    }
    assert train_command(CONF, ["out=run", "resume=true", "epochs=4"]) == 0
    sheet = torch.load(run.checkpoints / "last.ckpt", weights_only=True)["callbacks"]
    [state] = [value for name, value in sheet.items() if name.startswith("SampleSheet")]
    assert len(state["steps"]) == 4
    assert run_command(CONF, "evaluate", evaluate_run, ["run=run", "samples=10", "out=e"]) == 0
    [path] = Path("e").glob("*.json")
    assert json.loads(path.read_text())["protocol"]["samples"] == 10
    for _ in range(2):
        assert run_command(CONF, "sample", sample_run, ["run=run"]) == 0
    assert len(list(run.path.glob("samples/*/samples.png"))) == 2


def test_what_an_evaluation_would_not_heed_is_refused(
    workplace: Path, capsys: pytest.CaptureFixture[str]
):
    def refused(*words: str) -> str:
        assert run_command(CONF, "evaluate", evaluate_run, ["run=run", *words]) == 2
        assert not list(Path("run").glob("evaluations/*"))
        return capsys.readouterr().err

    assert train_command(CONF, [*POINTS, "out=run"]) == 0
    assert "split=val has no effect on a model of points: samples are" in refused("split=val")
    assert "distance=emd has no effect" in refused("distance=emd")
    assert "split" not in RunFolder("run").read_json("metrics")["protocol"]
    shutil.rmtree("run")
    assert train_command(CONF, [*SETS, "out=run"]) == 0
    assert "the test split has only 24 clouds" in refused("samples=25")
    assert "the val split has only 16 clouds" in refused("samples=17", "split=val")
    assert "limit=3 has no effect on a model of clouds" in refused("limit=3")


def test_a_conditional_model_is_asked_for_every_shape(workplace: Path):
    words = [*POINTS, "data.shape=all", "model.conditional=true", "out=run"]
    assert train_command(CONF, words) == 0
    table = RunFolder("run").read_json("metrics")["generation"]
    assert list(table)[:3] == ["circle", "square", "dinohead"]
    assert len(table) == 7


def test_a_sweep_of_them_ends_in_a_table(workplace: Path, capsys: pytest.CaptureFixture[str]):
    assert train_command(CONF, ["-m", *POINTS, "seed=1,2"]) == 0
    out = capsys.readouterr().out
    assert "Chamfer ratio" in out
    assert "2/2" in out


def test_clouds_for_a_model_of_points_are_refused(
    workplace: Path, capsys: pytest.CaptureFixture[str]
):
    assert train_command(CONF, ["model=ddpm_points", "data=stars", "out=run"]) == 2
    error = capsys.readouterr().err
    assert "model=ddpm_points cannot train on data=stars: it needs single points" in error
    assert "use data=shapes" in error
    assert train_command(CONF, ["model=ddpm_sets", "network=pose_denoiser", "out=run"]) == 2
    assert "network=pose_denoiser is none for model=ddpm_sets" in capsys.readouterr().err
    assert train_command(CONF, ["model=ddpm_sets", "data=mnist", "out=run"]) == 2
    assert "use data=point_cloud_folder or solids or stars" in capsys.readouterr().err
