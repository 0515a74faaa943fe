"""sample.py and evaluate.py: a run is all that they need."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from diffstn.cli.of_a_run import run_command

Command = Callable[..., int]


@pytest.fixture(scope="module")
def stn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of an STN in runs/one."""
    from diffstn.cli.train import train_command
    from tests.conftest import TINY

    folder = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["train.py"])
        assert train_command([*TINY, "model=stn", "out=runs/one"]) == 0
    return folder


@pytest.fixture
def there(stn: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(stn)
    return stn


def test_a_run_is_evaluated_with_overrides_of_its_own_settings(train: Command, evaluate: Command):
    assert train("model=diff_in_stn", "network.width=32", "out=run") == 0
    words = ["sampler.steps=3", "sampler=ddpm", "data/distortion=full", "split=val", "limit=20"]
    assert evaluate("run=run", "out=numbers", "hypotheses=2", *words) == 0
    [path] = Path("numbers").glob("*.json")
    numbers = yaml.safe_load(path.read_text())
    assert set(numbers["k"]) == {"1", "2"}
    assert numbers["images"] == 20
    protocol = numbers["protocol"]
    assert (protocol["split"], protocol["sampler"]) == ("val", "ddpm")
    assert protocol["data/distortion"] == "full"
    assert protocol["checkpoint"] == "best"
    assert protocol["settings"]["sampler"]["steps"] == 3


def test_a_setting_that_came_after_a_run_can_be_set(stn: Path, evaluate: Command):
    config = yaml.safe_load((stn / "runs/one/config.yaml").read_text())
    del config["model"]["as_is"]
    shutil.copytree(stn / "runs/one", "older")
    Path("older/config.yaml").write_text(yaml.safe_dump(config))
    words = ["run=older", "limit=20", "model.as_is=1e9", "model.combine=most_confident"]
    assert evaluate(*words, "out=kept") == 0
    [path] = Path("kept").glob("*.json")
    numbers = json.loads(path.read_text())
    assert numbers["k"]["1"]["accuracy"] == numbers["uncorrected"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run=nowhere"], "run=nowhere: no run there; the last of 1 runs here: runs/one [done]"),
        ([], "which run? pass run=<folder>; the last of 1 runs here: runs/one [done]"),
        (["run=runs/one", "split=training"], "task.split=training: must be one of test, val"),
        (["run=runs/one", "hypothesis=2"], "no setting 'hypothesis'; did you mean hypotheses"),
        (["run=runs/one", "samples=2"], "no setting 'samples'"),
        (["run=runs/one", "sampler.steps=2"], "no setting 'sampler.steps'"),
        (["run=runs/one", "optimizer.lrr=2"], "did you mean optimizer.lr?"),
        (["run=runs/one", "checkpoint=first"], "checkpoint=first: must be one of best, last"),
        (["run=runs/one", "task.batch_size=0"], "must be a whole number of at least 1"),
        (["run=runs/one", "trainer.precision=fp8"], "choose auto, fp32, bf16 or fp16"),
        (["run=runs/one", "data=mnist"], "cannot train on data=mnist"),
        (["run=runs/one", "model.cascade=2"], "do not fit its configuration with these overrides"),
    ],
)
def test_evaluate_refuses_bad_input_in_one_line(
    there: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
):
    assert run_command("evaluate", words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert "Traceback" not in error


def tampered(there: Path, name: str, **changes: object) -> str:
    folder = there / "runs" / name
    folder.mkdir(exist_ok=True)
    stored = yaml.safe_load((there / "runs/one/config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump({**stored, **changes}))
    return f"run=runs/{name}"


def test_a_strangers_run_does_not_run_their_code(there: Path, capsys: pytest.CaptureFixture[str]):
    place = tampered(there, "evil", encoder={"_target_": "os.system", "command": "touch owned"})
    assert run_command("evaluate", [place]) == 2
    assert "refusing to build 'os.system' from a run folder" in capsys.readouterr().err
    assert not Path("owned").exists()


def test_a_strangers_run_reads_no_secret(there: Path, capsys: pytest.CaptureFixture[str]):
    place = tampered(there, "spy", choices={"model": "${oc.env:HOME}"})
    assert run_command("evaluate", [place]) == 2
    assert "which a run never writes" in capsys.readouterr().err


def test_sample_plots_and_keeps_what_it_is_asked_for(
    there: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["run=runs/one", "accelerator=cpu", "per_class=1"]
    assert run_command("sample", [*words, "out=figures", "save=png", "n=3"]) == 0
    assert {p.name for p in Path("figures").iterdir()} == {
        *("curves.png", "corrected.png", "samples", "sample.json"),
        *("confidence.png", "failures.png"),
    }
    kept = sorted(Path("figures/samples").iterdir())
    assert len(kept) == 3
    with Image.open(kept[0]) as image:
        assert (image.size, image.mode) == ((28, 28), "L")
    assert "wrote figures/corrected.png" in capsys.readouterr().out
    assert run_command("sample", [*words, "out=data", "figures=false", "save=npz", "n=5"]) == 0
    with np.load("data/samples.npz") as arrays:
        assert arrays["items"].shape == (5, 1, 28, 28)
        assert arrays["items"].dtype == np.uint8
        assert arrays["labels"].shape == (5,)
    assert {p.name for p in Path("data").iterdir()} == {"samples.npz", "sample.json"}


def test_the_configuration_of_a_run_with_overrides_is_shown(
    there: Path, capsys: pytest.CaptureFixture[str]
):
    assert run_command("evaluate", ["run=runs/one", "limit=3", "--cfg", "job"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["task"]["limit"] == 3


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_help_is_the_commands_own_configuration(command: str, capsys: pytest.CaptureFixture[str]):
    assert run_command(command, ["--help"]) == 0
    assert "# the run's folder, or pretrained/<name>" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_a_model_that_is_to_be_trained_needs_a_run(
    command: str, workplace: Path, capsys: pytest.CaptureFixture[str]
):
    assert run_command(command, ["model=stn"]) == 2
    assert "has to be trained first: pass run=" in capsys.readouterr().err


def test_a_model_with_nothing_to_learn_is_measured_without_a_run(
    workplace: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["model=pose_search", "data/distortion=rotation", "model.angles=6", "model.rounds=1"]
    assert run_command("evaluate", [*words, "limit=20", "seed=3"]) == 0
    [path] = Path("evaluations/pose_search").glob("*.json")
    found = json.loads(path.read_text())
    assert found["k"]["1"]["accuracy"] > 40
    assert found["protocol"]["overrides"] == [*words, "task.limit=20"]
    assert found["protocol"]["latent_seed"] == 3
    assert run_command("evaluate", ["model=pose_search", "limi=20"]) == 2
    assert "limi" in capsys.readouterr().err


def test_an_evaluation_says_how_it_came_about(there: Path):
    words = ["run=runs/one", "limit=10", "checkpoint=last", "weights=raw", "out=e", "seed=4"]
    assert run_command("evaluate", ["accelerator=cpu", *words]) == 0
    [path] = Path("e").glob("*.json")
    protocol = json.loads(path.read_text())["protocol"]
    assert (protocol["checkpoint"], protocol["weights"]) == ("last", "raw")
    assert protocol["latent_seed"] == 4
    assert protocol["overrides"] == ["accelerator=cpu", "task.limit=10"]


def test_hardware_can_be_chosen_for_what_ships(workplace: Path, capsys):
    """A group that settles keys of another one, where the run had made no such choice."""
    words = ["run=pretrained/diff_in_stn_full", "limit=10", "hypotheses=[1]", "out=e"]
    assert run_command("evaluate", [*words, "accelerator=cpu"]) == 0
    assert json.loads(next(Path("e").glob("*.json")).read_text())["protocol"]["images"] == 10
