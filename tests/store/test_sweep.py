"""A multirun: every job its own folder, no failure hidden, one table at the end."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diffstn.models.stn import STN
from diffstn.report.summary import mean_sd

Train = Callable[..., int]


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed 2 fails in training."""
    loss = STN.loss

    def explode(self: STN, batch: Any) -> Any:
        terms = loss(self, batch)
        bad = self.trainer.datamodule.seed == 2  # type: ignore[attr-defined]
        return {"loss": terms["loss"] * (float("nan") if bad else 1.0)}

    monkeypatch.setattr(STN, "loss", explode)


def sweep_folder() -> Path:
    [folder] = Path("sweeps").iterdir()
    return folder


def states(folder: Path) -> dict[str, str]:
    return {
        path.parent.name: json.loads(path.read_text())["state"]
        for path in sorted(folder.glob("*/status.json"))
    }


def summary(folder: Path) -> list[dict[str, str]]:
    with (folder / "summary.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_job_has_its_folder_and_seeds_share_a_row(
    train: Train, capsys: pytest.CaptureFixture[str]
):
    assert train("-m", "model=stn,pose_regression", "seed=1,2") == 0
    folder = sweep_folder()
    assert len(states(folder)) == 4
    assert set(states(folder).values()) == {"done"}
    for job in folder.iterdir():
        if job.is_dir():
            for name in ("config.yaml", "metrics.json", "train.log", "checkpoints/last.ckpt"):
                assert (job / name).exists()
    rows = summary(folder)
    assert [(r["model"], r["seed"]) for r in rows] == [
        *(("stn", "1"), ("stn", "2"), ("pose_regression", "1"), ("pose_regression", "2"))
    ]
    accuracies = [float(r["accuracy k=1"]) for r in rows if r["model"] == "stn"]
    table = (folder / "summary.md").read_text()
    assert table in capsys.readouterr().out + "\n"
    header, _, *body = table.splitlines()
    assert "accuracy k=1" in header
    assert len(body) == 2
    assert mean_sd(accuracies) in body[0]
    assert "2/2" in body[0]


@pytest.mark.usefixtures("fragile")
def test_a_failing_job_hides_no_other(train: Train, capsys: pytest.CaptureFixture[str]):
    assert train("-m", "model=stn", "seed=2,3") == 1
    folder = sweep_folder()
    assert list(states(folder).values()) == ["failed", "done"]
    assert [row["state"] for row in summary(folder)] == ["failed", "done"]
    assert "became nan" in summary(folder)[0]["error"]
    printed = capsys.readouterr()
    assert "1/2" in printed.out
    assert "not finished: 0-" in printed.out
    assert "job failed" in printed.err
    [failed] = folder.glob("0-*")
    assert "Traceback" in (failed / "train.log").read_text()


@pytest.mark.usefixtures("fragile")
def test_on_error_stop_skips_the_rest(train: Train):
    assert train("-m", "model=stn", "seed=2,3", "on_error=stop") == 1
    assert list(states(sweep_folder()).values()) == ["failed", "skipped"]
    assert [row["state"] for row in summary(sweep_folder())] == ["failed", "skipped"]


def test_a_folder_holds_one_sweep(train: Train, capsys: pytest.CaptureFixture[str]):
    words = ["-m", "model=stn", "seed=1", "hydra.sweep.dir=here"]
    assert train(*words) == 0
    before = {path: path.read_bytes() for path in Path("here").glob("*/*.*")}
    assert train(*words, "on_error=stop") == 2
    assert "here holds a sweep already" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path("here").glob("*/*.*")} == before


def test_an_interrupt_ends_the_sweep_with_its_summary(
    train: Train, monkeypatch: pytest.MonkeyPatch
):
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(STN, "loss", interrupt)
    assert train("-m", "model=stn", "seed=1,2") == 1
    assert list(states(sweep_folder()).values()) == ["interrupted", "skipped"]
    assert len(summary(sweep_folder())) == 2
