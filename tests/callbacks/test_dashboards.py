from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from diffstn.callbacks.dashboards import check_loggers, dashboards, show_file
from diffstn.errors import UserError
from diffstn.store.run_folder import RunFolder
from diffstn.tasks.correct import Correct

Train = Callable[..., int]


def page(path: Path) -> Path:
    """A small figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


def test_none_is_needed(tmp_path: Path):
    with dashboards({}, RunFolder(tmp_path), {}) as loggers:
        assert loggers == []
    show_file([], "name", tmp_path / "none.png", 0)
    assert not list(tmp_path.iterdir())


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    check_loggers({"mine": {"_target_": "my_package.Logger"}})
    with pytest.raises(UserError, match=r"logger=comet needs: pip install 'diffstn\[comet\]'"):
        check_loggers({"comet": {"_target_": "pytorch_lightning.loggers.CometLogger"}})


def test_a_figure_goes_where_it_can_be_shown(tmp_path: Path):
    shown: list[tuple[Any, ...]] = []

    class Images:
        experiment = None

        def log_image(self, name: str, files: list[str], step: int) -> None:
            shown.append(("image", name, step))

    class Videos(Images):
        def log_video(self, name: str, files: list[str], step: int, format: list[str]) -> None:
            shown.append(("video", name, step))

    keep = SimpleNamespace(log_artifact=lambda run, path: shown.append(("file", Path(path).name)))
    files = SimpleNamespace(run_id="7", experiment=keep)
    loggers: Any = [Images(), Videos(), files]
    show_file(loggers, "still", page(tmp_path / "a.png"), 3)
    show_file(loggers, "moving", page(tmp_path / "a.gif"), 4)
    assert shown == [
        ("image", "still", 3),
        ("image", "still", 3),
        ("file", "a.png"),
        ("video", "moving", 4),
        ("file", "a.gif"),
    ]


def test_a_run_on_two_dashboards_at_once(train: Train, monkeypatch: pytest.MonkeyPatch):
    """Both show curves, the still figure and the final numbers, and W&B's run is finished."""
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    ).EventAccumulator
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")

    def plot(task: Any, model: Any, data: Any, folder: Path, seed: int) -> list[tuple[str, Path]]:
        return [("page", page(folder / "page.png")), ("moving", page(folder / "page.gif"))]

    monkeypatch.setattr(Correct, "plot", plot)
    both = ["logger=[tensorboard,wandb]", "logger.wandb.offline=true"]
    assert train("model=stn", *both, "out=run") == 0
    events = accumulator("run/tensorboard").Reload()
    assert {"train/loss", "val/accuracy", "test/oracle"} <= set(events.Tags()["scalars"])
    assert {"page", "curves"} == set(events.Tags()["images"])
    assert wandb.run is None
    identity = RunFolder("run").read_json("loggers")["wandb"]
    [folder] = Path("run/wandb").glob("offline-run-*")
    assert folder.name.endswith(identity)
