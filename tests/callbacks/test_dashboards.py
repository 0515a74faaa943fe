"""Dashboards beside metrics.csv, several at once."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from diffstn.callbacks.dashboards import check_loggers, dashboards, show_file
from diffstn.errors import UserError
from diffstn.store.run_folder import RunFolder

Train = Callable[..., int]


def test_none_are_needed(tmp_path: Path):
    with dashboards({}, RunFolder(tmp_path), {}) as loggers:
        assert loggers == []
    show_file([], "name", tmp_path / "none.png", 0)
    assert not list(tmp_path.iterdir())


def test_tensorboard_and_wandb_side_by_side(train: Train, monkeypatch: pytest.MonkeyPatch):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    ).EventAccumulator
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")

    def plot(task: Any, model: Any, data: Any, folder: Path, **_: Any) -> list[tuple[str, Path]]:
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / "page.png")
        Image.new("RGB", (8, 8)).save(folder / "page.gif")
        return [("page", folder / "page.png"), ("moving", folder / "page.gif")]

    monkeypatch.setattr("diffstn.tasks.correct.Correct.plot", plot)
    words = ["logger=[tensorboard,wandb]", "logger.wandb.offline=true", "+callbacks=lr_monitor"]
    assert train("model=stn", *words, "trainer.log_every_n_steps=1", "out=run") == 0
    events = accumulator("run/tensorboard").Reload()
    assert {"train/loss", "val/accuracy", "test/oracle", "lr-SGD/pg1"} <= set(
        events.Tags()["scalars"]
    )
    assert set(events.Tags()["images"]) == {"curves", "page"}
    assert wandb.run is None  # finished
    identity = RunFolder("run").read_json("loggers")["wandb"]
    [folder] = Path("run/wandb").glob("offline-run-*")
    assert folder.name.endswith(identity)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    nodes = {"wandb": {"_target_": "pytorch_lightning.loggers.WandbLogger"}}
    with pytest.raises(UserError, match=r"pip install 'diffstn\[wandb\]'"):
        check_loggers(nodes, {})
    check_loggers({"mine": {"_target_": "mypkg.Mine"}}, {})


def test_one_that_cannot_begin_ends_in_one_line_and_claims_no_folder(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    pytest.importorskip("tensorboard")

    def refuse(*_: Any) -> None:
        raise RuntimeError("no key\nand much more")

    monkeypatch.setattr("pytorch_lightning.loggers.TensorBoardLogger.log_hyperparams", refuse)
    assert train("model=stn", "logger=tensorboard", "out=run") == 2
    assert "error: logger=tensorboard cannot begin: no key\n" in capsys.readouterr().err
    assert not Path("run/config.yaml").exists()
    monkeypatch.undo()


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
    loggers: Any = [Images(), Videos(), SimpleNamespace(run_id="7", experiment=keep)]
    show_file(loggers, "still", tmp_path / "a.png", 3)
    show_file(loggers, "moving", tmp_path / "a.gif", 4)
    assert shown == [
        ("image", "still", 3),
        ("image", "still", 3),
        ("file", "a.png"),
        ("video", "moving", 4),
        ("file", "a.gif"),
    ]
