"""Runs to report on: one that was trained, and a sweep made of its files with other numbers."""

import csv
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from diffstn.cli.train import train_command
from diffstn.store.run_folder import RunFolder

WORDS = [
    *("model=ddpm_points", "data.shape=moons", "epochs=4", "data.batch_size=64"),
    *("trainer.limit_train_batches=2", "trainer.limit_val_batches=1", "network.width=16"),
    *("sampler.steps=2", "task.samples=60", "accelerator=cpu", "trainer.precision=fp32"),
]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of seconds that samples points, as `train.py` left it, with its report."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["train.py"])
        assert train_command([*WORDS, "out=points"]) == 0
    return folder / "points"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, without checkpoints and report, to be changed."""
    return copied(trained, tmp_path / "run")


def copied(run: Path, to: Path) -> Path:
    """A copy of a run without its checkpoints and its report."""
    left_out = shutil.ignore_patterns("checkpoints", "report.html", ".writing")
    return Path(shutil.copytree(run, to, ignore=left_out))


def changed(run: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what `<name>.json` or `<name>.yaml` of a run says."""
    folder = RunFolder(run)
    content = yaml.safe_load(folder.config.read_text()) if name == "config" else None
    content = content or folder.read_json(name)
    change(content)
    if name == "config":
        folder.config.write_text(yaml.safe_dump(content, sort_keys=False))
    else:
        folder.write_json(name, content)


@pytest.fixture
def change() -> Callable[..., None]:
    """`change(run, name, how)`: see `changed`."""
    return changed


def job(trained: Path, sweep: Path, number: int, width: int, seed: int) -> Path:
    """A job of a sweep over width and seed, made of a real run's files: its losses are scaled."""
    path = copied(trained, sweep / f"{number}-network.width={width},seed={seed}")
    chance = random.Random(100 * width + seed)
    factor = 10 / width * chance.uniform(0.9, 1.1)
    (path / "overrides.txt").write_text(f"network.width={width}\nseed={seed}\n")
    changed(path, "config", lambda c: (c["network"].update(width=width), c.update(seed=seed)))

    def scale(metrics: dict[str, Any]) -> None:
        for part in ("numbers", "monitored"):
            metrics[part] = {k: factor * v for k, v in metrics[part].items()}

    changed(path, "metrics", scale)
    with (path / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (path / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            scaled = {k: f"{factor * float(v):.6g}" for k, v in row.items() if "loss" in k}
            writer.writerow({**row, **scaled})
    return path


@pytest.fixture(scope="session")
def sweep(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve jobs, four widths with three seeds each; the last one failed."""
    folder = tmp_path_factory.mktemp("sweeps") / "widths"
    for number in range(12):
        path = job(trained, folder, number, 8 * 2 ** (number // 3), number % 3 + 1)
    changed(path, "status", lambda s: s.update(state="failed", error="train/loss became nan"))
    return folder
