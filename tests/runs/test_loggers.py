import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diffstn.errors import UserError
from diffstn.runs.folder import RunFolder
from diffstn.runs.loggers import dashboard, log_picture

Train = Callable[..., int]


def test_csv_needs_no_dashboard(tmp_path: Path):
    with dashboard({"name": "csv"}, RunFolder(tmp_path), {}) as logger:
        assert logger is False
    log_picture(False, "name", tmp_path / "none.png", 0)


@pytest.mark.parametrize("name", ["wandb", "tensorboard"])
def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    real = builtins.__import__

    def without(module: str, *args: Any, **kwargs: Any) -> Any:
        if module == name:
            raise ImportError(module)
        return real(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    settings = {"name": name, "project": "p", "offline": True}
    with (
        pytest.raises(UserError, match=rf"pip install 'diffstn\[{name}\]'"),
        dashboard(settings, RunFolder(tmp_path), {}),
    ):
        pass


def test_an_unknown_name_lists_the_loggers(tmp_path: Path):
    with (
        pytest.raises(UserError, match="choose csv, wandb, tensorboard"),
        dashboard({"name": "paper"}, RunFolder(tmp_path), {}),
    ):
        pass


def test_tensorboard_shows_curves_and_pictures(train: Train, monkeypatch: pytest.MonkeyPatch):
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
