"""The command line as Hydra documents it."""

import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from diffstn.cli.jobs import combinations
from diffstn.cli.refusals import parse
from diffstn.cli.train import objective, train_command
from diffstn.store.run_folder import RunFolder

Train = Callable[..., int]
ROOT = Path(__file__).parents[2]


def test_a_run_without_out_says_in_its_name_what_it_holds(train: Train):
    assert train("model=stn", "seed=7") == 0
    [folder] = Path("runs").iterdir()
    assert folder.name.endswith("-stn-affine_mnist-seed7")
    assert RunFolder(folder).read_json("status")["state"] == "done"


def test_a_folder_of_hydra_s_is_taken_too(train: Train):
    assert train("model=stn", "hydra.run.dir=there") == 0
    assert RunFolder("there").read_json("status")["state"] == "done"


@pytest.mark.parametrize(
    ("arguments", "shows"),
    [
        (["--cfg", "job", "model=stn"], "diffstn.models.stn.STN"),
        (["model=stn", "-c", "job", "--package", "optimizer"], "torch.optim.SGD"),
        (["--info", "searchpath"], "Provider"),
        (["--help"], "model: autoencoder, "),
        (["--hydra-help"], "--config-dir"),
        (["-sc", "install=bash"], "complete"),
    ],
)
def test_hydra_s_flags_show_what_they_should(
    workplace: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], shows: str
):
    try:
        code = train_command(arguments)
    except SystemExit as error:
        code = int(error.code or 0)
    assert code == 0
    assert shows in capfd.readouterr().out
    assert not list(Path().iterdir())


def test_keys_are_forced_and_left_out_as_hydra_does(train: Train):
    words = ["++optimizer.momentum=0.5", "+optimizer.nesterov=true", "~trainer.log_every_n_steps"]
    assert train("model=stn", *words, "out=run") == 0
    config = RunFolder("run").read_config()
    assert config["optimizer"]["nesterov"] is True
    assert "log_every_n_steps" not in config["trainer"]


def test_combinations_of_a_sweep():
    words = [
        "model=stn,diff_in_stn",
        "seed=range(1,3)",
        "epochs=2",
        "lr=interval(0,1)",
        "a=glob(*)",
    ]
    assert list(combinations(parse(words))) == [
        [f"model={model}", f"seed={seed}", "epochs=2"]
        for model in ("stn", "diff_in_stn")
        for seed in (1, 2)
    ]
    assert len(list(combinations(parse(["seed=range(1,1000000000)"])))) == 64


def test_glob_and_choice_sweep_as_hydra_says(train: Train):
    words = ["-m", "model=stn", "data/distortion=glob(ro*)", "optimizer=choice(sgd)"]
    assert train(*words, "hydra.sweep.dir=s") == 0
    found = {yaml.safe_load(p.read_text())["choices"]["data/distortion"] for p in jobs("s")}
    assert found == {"rotation", "rotation_and_scale"}


def jobs(folder: str) -> list[Path]:
    return sorted(Path(folder).glob("*/config.yaml"))


def test_a_job_returns_what_the_model_monitors(train: Train):
    assert train("model=stn", "out=run") == 0
    metrics = RunFolder("run").read_json("metrics")
    assert list(metrics["monitored"]) == ["val/accuracy"]
    assert objective(metrics, 0.0) == metrics["monitored"]["val/accuracy"]
    assert objective({}, -math.inf) == -math.inf


def test_the_console_command_is_the_scripts(tmp_path: Path):
    def diffstn(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "diffstn.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert "diffstn correct" in diffstn("--help").stdout
    assert diffstn("tain").returncode == 2
    refused = diffstn("train", "epoch=3")
    assert refused.returncode == 2
    assert refused.stderr == "error: no setting 'epoch'; did you mean epochs?\n"
    assert "diffstn.models.stn.STN" in diffstn("train", "--cfg", "job", "model=stn").stdout


def test_a_job_is_run_again_from_what_hydra_kept(
    train: Train, workplace: Path, capsys: pytest.CaptureFixture[str]
):
    keep = "+hydra.callbacks.keep._target_=hydra.experimental.callbacks.PickleJobInfoCallback"
    where = ("hydra.run.dir=run", "hydra.output_subdir=.hydra")
    assert train("model=stn", "out=run", keep, *where) == 0
    (workplace / "run" / ".hydra" / "config.pickle").rename("job.pickle")
    first = RunFolder("run").read_json("metrics")["numbers"]
    shutil.rmtree("run")
    assert train_command(["--experimental-rerun", "job.pickle"]) == 0
    assert RunFolder("run").read_json("metrics")["numbers"] == first
    capsys.readouterr()
    assert train_command(["--experimental-rerun", "nowhere.pickle"]) == 2
    assert capsys.readouterr().err == "error: File nowhere.pickle does not exist!\n"
