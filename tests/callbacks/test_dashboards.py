from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diffstn.callbacks.dashboards import dashboard, log_image
from diffstn.store.run_folder import RunFolder

Train = Callable[..., int]


def test_csv_needs_no_dashboard(tmp_path: Path):
    with dashboard({"name": "csv"}, RunFolder(tmp_path), {}) as logger:
        assert logger is False
    log_image(False, "name", tmp_path / "none.png", 0)


def test_tensorboard_shows_curves_and_images(train: Train, monkeypatch: pytest.MonkeyPatch):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    ).EventAccumulator
    from PIL import Image

    def draw(assembly: Any, hardware: Any, folder: Path, **_: Any) -> list[tuple[str, Path]]:
        folder.mkdir()
        Image.new("RGB", (8, 8)).save(folder / "page.png")
        Image.new("RGB", (8, 8)).save(folder / "page.gif")
        return [("page", folder / "page.png"), ("moving", folder / "page.gif")]

    monkeypatch.setattr("diffstn.runs.training.draw_run", draw)
    assert train("model=stn", "logger=tensorboard", "out=run") == 0
    events = accumulator("run/tensorboard").Reload()
    assert {"train/loss", "val/accuracy"} <= set(events.Tags()["scalars"])
    assert events.Tags()["images"] == ["page"]


def test_wandb_offline_is_finished_and_its_run_id_kept(
    train: Train, monkeypatch: pytest.MonkeyPatch
):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    assert train("model=stn", "logger=wandb", "logger.offline=true", "out=run") == 0
    assert wandb.run is None
    identity = RunFolder("run").read_json("wandb")["id"]
    [folder] = Path("run/wandb").glob("offline-run-*")
    assert folder.name.endswith(identity)
