"""Train, sample and evaluate as a user does, on a few hundred real digits."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from tests.forked import Forked, two_ranks

ROOT = Path(__file__).parents[1]


def python(folder: Path, script: str, *overrides: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / script), *overrides],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which a run called `first` was trained."""
    folder = tmp_path_factory.mktemp("work")
    overrides = [
        *("model=diff_in_stn", "data=affine_mnist", "schedule=cosine", "out=first"),
        *("data.limit_train=300", "data.limit_val=100", "data.limit_test=100", "sampler.steps=10"),
        *("data.batch_size=50", "epochs=2", "network.width=32", "encoder=pool", "task.per_class=2"),
    ]
    run = Forked(lambda: train_command(overrides), folder)
    assert run.wait() == 0, run.said.read_text()
    assert "corrected, k = 16" in run.said.read_text()
    assert "Traceback" not in run.said.read_text()
    (folder / "overrides").write_text("\n".join(overrides) + "\n")
    return folder


def test_a_run_is_a_folder_complete_on_its_own(folder: Path):
    run = folder / "first"
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["choices"]["model"] == "diff_in_stn"
    assert config["network"]["width"] == 32
    assert (run / "overrides.txt").read_text() == (folder / "overrides").read_text()
    status = json.loads((run / "status.json").read_text())
    assert status["state"] == "done"
    environment = json.loads((run / "environment.json").read_text())
    assert {"torch", "commit", "hardware", "precision", "seed"} <= set(environment)
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["6", "12"]
    assert {"train/loss", "val/accuracy", "val/corner_distance", "seconds"} <= set(rows[0])
    metrics = json.loads((run / "metrics.json").read_text())
    assert set(metrics["k"]) == {"1", "16"}
    assert status["accuracy k=1"] == metrics["accuracy"] == metrics["k"]["1"]["accuracy"]
    assert metrics["uncorrected"] <= metrics["oracle"]
    assert metrics["protocol"]["images"] == 100
    assert metrics["protocol"]["weights"] == "ema"
    assert "trained in" in (run / "train.log").read_text()
    assert {path.name for path in (run / "figures").iterdir()} == {
        *("curves.png", "corrected.png", "turning.gif", "reverse_process.png", "hypotheses.png"),
        *("confusion.png", "confidence.png", "failures.png", "steps"),
    }
    for name in ("best", "last"):
        content = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)
        assert content["state_dict"].keys() == content["ema_state_dict"].keys()


def test_sample_plots_from_the_folder_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(folder)
    words = ["run=first", "out=drawn", "per_class=1", "sampler.steps=2"]
    assert run_command("sample", words) == 0
    drawn = {path.name for path in (folder / "drawn").iterdir()}
    assert {"corrected.png", "turning.gif"} <= drawn
    assert capsys.readouterr().out.count("wrote drawn/") == len(drawn - {"sample.json"})


def test_evaluate_repeats_the_numbers_of_training(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    words = ["data.data_seed=0", "sampler.eta=0"]
    asked = ["task.batch_size=33", "task.hypotheses=[1,16]"]
    alone = [word.removeprefix("task.") for word in asked]
    assert run_command("evaluate", ["run=first", *alone, *words]) == 0
    [path] = (folder / "first" / "evaluations").glob("*.json")
    again = json.loads(path.read_text())
    first = json.loads((folder / "first" / "metrics.json").read_text())
    for k in ("1", "16"):
        assert again["k"][k]["accuracy"] == pytest.approx(first["k"][k]["accuracy"], abs=1)
        pose = first["k"][k]["pose"]
        assert again["k"][k]["pose"] == pytest.approx(pose, rel=0.1, abs=0.5)
    assert again["oracle"] == first["oracle"]
    assert again["protocol"]["latent_seed"] == 0
    assert again["protocol"]["overrides"] == [*asked, *words]


def test_run_pointing_nowhere_lists_the_runs(folder: Path):
    shutil.copytree(folder / "first", folder / "runs" / "one")
    done = python(folder, "evaluate.py", "run=nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("error: run=nowhere: no run there")
    assert "runs/one [done] diff_in_stn affine_mnist paper" in done.stderr
    assert "Traceback" not in done.stderr


RANKS = [
    *("model=stn", "accelerator=ddp", "trainer.accelerator=cpu", "trainer.devices=2"),
    *("data.limit_train=200", "data.limit_val=50", "data.limit_test=50", "data.batch_size=50"),
    *("epochs=1", "encoder=pool", "out=both"),
]


def check_run_of_two(run: Path, said: str) -> None:
    assert said.count("run folder:") == 1
    assert json.loads((run / "status.json").read_text())["state"] == "done"
    assert json.loads((run / "metrics.json").read_text())["images"] == 50
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2"]  # 200 images, 50 at a time, on two processes


@pytest.mark.parametrize("starter", ["torchrun on two nodes", "slurm"])
def test_two_processes_train_one_model_and_the_first_one_finishes_the_run(
    starter: str, workplace: Path
):
    nodes = ["trainer.devices=1", "trainer.num_nodes=2"] if "nodes" in starter else []
    ranks = two_ranks(lambda: train_command([*RANKS, *nodes]), workplace, starter)
    said = [(rank.wait(), rank.said.read_text()) for rank in ranks]
    assert [code for code, _ in said] == [0, 0], said
    check_run_of_two(workplace / "both", "".join(text for _, text in said))


def test_two_processes_stop_together_and_go_on_to_the_bit(workplace: Path):
    words = [word for word in RANKS if not word.startswith(("epochs", "data.batch", "out"))]
    words += ["epochs=2", "data.batch_size=10", "trainer.precision=fp32"]
    stopped = [*words, "out=stopped", "trainer.max_time=00:00:00:00"]
    for command, code in (
        ([*words, "out=straight"], 0),
        (stopped, 124),
        (["out=stopped", "resume=true", "trainer.max_time=null"], 0),
    ):
        ranks = two_ranks(lambda command=command: train_command(command), workplace)
        assert [rank.wait() for rank in ranks] == [code, code], ranks[0].said.read_text()
        if code:
            path = workplace / "stopped" / "checkpoints" / "last.ckpt"
            assert torch.load(path, weights_only=True)["global_step"] == 1
    ours, theirs = (
        torch.load(workplace / name / "checkpoints" / "last.ckpt", weights_only=True)
        for name in ("stopped", "straight")
    )
    for key in ("state_dict", "ema_state_dict"):
        assert all(torch.equal(ours[key][name], value) for name, value in theirs[key].items())


@pytest.mark.slow
def test_two_processes_that_lightning_starts(tmp_path: Path):
    done = python(tmp_path, "train.py", *RANKS)
    assert done.returncode == 0, done.stderr
    check_run_of_two(tmp_path / "both", done.stderr + done.stdout)
