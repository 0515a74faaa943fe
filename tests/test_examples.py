"""The examples, as a user runs them: from a folder outside the repository."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from diffstn.cli.train import train_command
from diffstn.tasks.generate_images import GenerateImages

from .conftest import SMALL, Train
from .forked import Forked

EXAMPLES = Path(__file__).parents[1] / "examples"


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `examples/your_package` in which its README's run was trained."""
    folder = tmp_path_factory.mktemp("elsewhere") / "package"
    shutil.copytree(EXAMPLES / "your_package", folder)
    words = ["model=two_gaussians", "+callbacks=shout", "logger=[lines]", "out=run", "epochs=2"]
    command = ["--config-dir", "conf", "accelerator=cpu", *words]
    run = Forked(lambda: train_command(command), folder)
    assert run.wait() == 0, run.said.read_text()
    return folder


def test_every_part_of_a_user_s_package_took_part(package: Path):
    run = package / "run"
    numbers = json.loads((run / "metrics.json").read_text())["numbers"]
    assert numbers
    assert json.loads((run / "status.json").read_text())["state"] == "done"
    assert list((run / "figures").glob("*.png"))
    assert (run / "lines.txt").read_text()
    config = (run / "config.yaml").read_text()
    for name in ("pair", "tiny_network", "two_gaussians", "halfway", "shout", "lines", "spread"):
        assert f"mypkg.{name}." in config


def test_a_run_s_classes_are_built_only_if_trusted(
    package: Path, train: Train, evaluate: Train, monkeypatch: pytest.MonkeyPatch
):
    """Refused in a process that never imported them, built in this one."""
    refused = python(package, "-m", "diffstn.cli", "evaluate", "run=run", "accelerator=cpu")
    assert refused.returncode == 2
    assert "trust=[mypkg]" in refused.stderr
    assert refused.stderr.count("\n") == 1
    monkeypatch.chdir(package)
    monkeypatch.syspath_prepend(package)
    assert evaluate("run=run", "trust=[mypkg]") == 0
    longer = ["--config-dir", "conf", "out=run", "resume=true", "epochs=3"]
    assert train_command(longer) == 2
    assert train_command([*longer, "trust=[mypkg,lines.txt]"]) == 0


def test_images_are_seen_through_features_of_one_s_own(
    package: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(GenerateImages, "plot", lambda *_, **__: [])
    monkeypatch.chdir(package)
    monkeypatch.syspath_prepend(package)
    words = ["model=ddpm_unet", "task=blurred", "task.samples=40", "task.track=0", "out=seen"]
    tiny = ["network.width=8", "network.groups=4", "network.attention=[]", "sampler.steps=2"]
    assert train_command(["--config-dir", "conf", *words, *tiny, *SMALL]) == 0
    metrics = json.loads((package / "seen" / "metrics.json").read_text())
    assert metrics["protocol"]["features"] == "blurred"
    assert metrics["numbers"]["FID test"] > 10 * metrics["generation"]["test"]["FID floor"]


def test_the_smallest_example_is_small_and_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    text = (EXAMPLES / "smallest.py").read_text()
    assert len(text.splitlines()) <= 40
    assert "hydra" not in text
    assert "lightning" not in text
    assert text.count("STEPS, BATCH = 2500, 512") == 1
    monkeypatch.chdir(tmp_path)
    Path("smallest.py").write_text(
        text.replace("STEPS, BATCH = 2500, 512", "STEPS, BATCH = 500, 128")
    )
    runpy.run_path("smallest.py")
    numbers = re.search(r"distance ([\d.]+), of fresh points ([\d.]+)", capsys.readouterr().out)
    assert numbers
    found, floor = map(float, numbers.groups())
    assert floor < found < 0.3
    assert Image.open("smallest.png").width > 600
