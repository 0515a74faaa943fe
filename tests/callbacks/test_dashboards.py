"""Dashboards beside metrics.csv, several at once."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from diffstn.callbacks.dashboard import flat
from diffstn.callbacks.dashboards import check_loggers, dashboards
from diffstn.callbacks.last_checkpoint import LastCheckpoint
from diffstn.cli.train import train_command
from diffstn.data.sources import mnist
from diffstn.errors import UserError
from diffstn.store.run_folder import RunFolder
from diffstn.tasks import watched
from diffstn.tasks.correct import Correct
from tests.boards import mlflow_run, tensorboard_curves, wandb_curves, wandb_records, wandb_rows
from tests.conftest import TINY, blank_page, mnist_once
from tests.forked import Forked

Train = Callable[..., int]
WORDS = [
    *TINY,
    "model=diff_in_stn",
    "network.width=32",
    "sampler.steps=2",
    "data.batch_size=8",
    "epochs=2",
    "trainer.log_every_n_steps=2",
]
"""Two epochs of eight steps."""
ALL = ["logger=[wandb,tensorboard,mlflow]", "logger.wandb.offline=true"]
KILLED_AT = 13
ROWS = [1, 2, 4, 6, 8, 10, 12, 14, 16]


def plot(task: Any, model: Any, data: Any, folder: Path, **_: Any) -> list[tuple[str, Path]]:
    """Figures in the place of those that take long."""
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (8, 8)).save(folder / "page.png")
    Image.new("RGB", (8, 8)).save(folder / "page.gif")
    return [("page", folder / "page.png"), ("moving", folder / "page.gif")]


def panel(*arguments: Any, **_: Any) -> Path:
    """A page in the place of the poses."""
    path = next(one for one in arguments if isinstance(one, Path))
    return blank_page(None, path)


def started(
    folder: Path, *words: str, killed_at: int = 0, fails: bool = False, **variables: str
) -> Forked:
    """A training in a process of its own, which may kill itself after a step, or fail."""

    def work() -> int:
        sys.argv = ["train.py"]
        mnist.load_mnist = mnist_once
        watched.pose_panel = panel  # type: ignore[assignment]
        watched.ANGLES = 2
        Correct.plot = plot  # type: ignore[method-assign, assignment]
        sys.modules["diffstn.runs.train"].training_curves = blank_page  # type: ignore[attr-defined]
        if fails:
            Correct.measure = lambda *_, **__: 1 / 0  # type: ignore[assignment, method-assign]
        written = LastCheckpoint.on_train_batch_end

        def kill(self: Any, trainer: Any, *args: Any) -> None:
            if trainer.global_step == killed_at:
                time.sleep(0.5)  # W&B's own process, which dies along, has written its file
                os.kill(os.getpid(), signal.SIGKILL)
            written(self, trainer, *args)

        LastCheckpoint.on_train_batch_end = kill  # type: ignore[method-assign]
        return train_command(list(words))

    return Forked(work, folder, {"WANDB_SILENT": "true", **variables})


def offline(run: Path) -> list[Path]:
    """The files of W&B's offline folders, the oldest first."""
    return sorted(run.glob("wandb/offline-run-*/*.wandb"), key=lambda p: p.stat().st_ctime)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with all dashboards that was killed in its second epoch, and resumed."""
    known = ("torch.utils.tensorboard", "wandb", "sqlalchemy", "alembic", "mlflow.tracking")
    for package in (*known, "mlflow.store.tracking.sqlalchemy_store", "diffstn.runs.train"):
        pytest.importorskip(package)  # the processes know it already

    place = tmp_path_factory.mktemp("boards")
    killed = started(place, *WORDS, *ALL, "out=run", killed_at=KILLED_AT)
    assert killed.wait() == -signal.SIGKILL, killed.said.read_text()
    resumed = started(place, "out=run", "resume=true")
    straight = started(place, *WORDS, "logger=tensorboard", "out=straight")
    assert resumed.wait() == 0, resumed.said.read_text()
    assert straight.wait() == 0, straight.said.read_text()
    return place / "run"


def values(curves: Any, name: str) -> list[float]:
    return [value for _, value in curves[name]]


def check_curves(curves: Any, straight: Any) -> None:
    """Of a run that was killed: those of one that was not, without gaps and repeats."""
    for name in ("step/loss", "step/lr", "step/grad_norm"):
        assert [step for step, _ in curves[name]] == ROWS, name
        assert values(curves, name) == pytest.approx(values(straight, name), rel=1e-6), name
    assert [step for step, _ in curves["step/items_per_second"]] == ROWS[1:]
    assert all(speed > 0 for _, speed in curves["step/items_per_second"])
    for name in ("train/loss", "val/accuracy"):
        assert [step for step, _ in curves[name]] == [8, 16], name
        assert values(curves, name) == pytest.approx(values(straight, name), rel=1e-6), name
    name = "test/accuracy k=1" if "test/accuracy k=1" in curves else "test/accuracy k1"
    assert [step for step, _ in curves[name]] == [16]  # MLflow takes no =


def test_wandb_has_every_panel_of_a_killed_run(run: Path):
    files = offline(run)
    assert len(files) == 2
    assert {path.stem.split("-")[-1] for path in files} == {
        RunFolder(run).read_json("loggers")["wandb"]
    }
    curves, panels = wandb_curves(files)
    check_curves(curves, tensorboard_curves(run.parent / "straight" / "tensorboard")[0])
    assert panels["val/poses"] == [8, 16]
    assert {"curves", "page", "moving", "confusion", "confusion_table"} <= set(panels)
    counts = [int(row["_step"]) for path in files for row in wandb_rows(path)]
    assert counts == sorted(set(counts))  # the server drops what does not grow
    first, second = (list(wandb_records(path)) for path in files)
    assert not [r for r in first if r.WhichOneof("record_type") == "exit"]
    [end] = [r.exit.exit_code for r in second if r.WhichOneof("record_type") == "exit"]
    assert end == 0
    [begun] = [r.run for r in first if r.WhichOneof("record_type") == "run"]
    assert begun.project == "diffstn"
    assert begun.job_type == "train"
    config = {item.key for r in first for item in (*r.run.config.update, *r.config.update)}
    assert {"model", "optimizer", "seed", "environment"} <= config


def test_tensorboard_has_every_panel_of_a_killed_run(run: Path):
    curves, panels, others = tensorboard_curves(run / "tensorboard")
    check_curves(curves, tensorboard_curves(run.parent / "straight" / "tensorboard")[0])
    assert panels == {"val/poses": [8, 16], "curves": [16], "page": [16], "confusion": [16]}
    assert {"config/text_summary", "confusion_table/text_summary"} <= set(others)
    assert "_hparams_/session_start_info" in others
    assert "hp_metric" not in curves


def test_mlflow_has_every_panel_of_a_killed_run(run: Path):
    found, curves, files = mlflow_run(run)
    check_curves(curves, tensorboard_curves(run.parent / "straight" / "tensorboard")[0])
    assert found.info.status == "FINISHED"
    assert found.data.params["optimizer.lr"]
    assert found.data.params["trainer.log_every_n_steps"] == "2"
    ends = ("config.yaml", "page.png", "page.gif", "confusion.png", "confusion_table.json")
    for end in ends:
        assert [path for path in files if path.endswith(end)], end
    assert len([p for p in files if "poses" in p and p.endswith(".png")]) == 2
    assert all(str(run) in path for path in files)


def test_a_failed_run_is_shown_as_failed_and_has_the_agent_s_identity(tmp_path: Path):
    pytest.importorskip("wandb")
    told = {"WANDB_RUN_ID": "from-the-agent", "WANDB_SWEEP_ID": "sweep"}
    words = [*TINY, "model=stn", "logger=wandb", "logger.wandb.offline=true", "out=run"]
    failed = started(tmp_path, *words, fails=True, **told)
    assert failed.wait() == 1, failed.said.read_text()
    [file] = offline(tmp_path / "run")
    records = list(wandb_records(file))
    [end] = [r.exit.exit_code for r in records if r.WhichOneof("record_type") == "exit"]
    assert end == 1
    begun = next(r.run for r in records if r.WhichOneof("record_type") == "run")
    assert (begun.run_id, begun.sweep_id) == ("from-the-agent", "sweep")
    assert RunFolder(tmp_path / "run").read_json("loggers") == {"wandb": "from-the-agent"}
    assert RunFolder(tmp_path / "run").read_json("status")["state"] == "failed"


def test_none_are_needed(tmp_path: Path):
    with dashboards({}, RunFolder(tmp_path), {}) as boards:
        assert boards == []
    assert not list(tmp_path.iterdir())


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


def test_the_next_run_hears_nothing_of_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with dashboards({}, RunFolder(tmp_path), {}):
        os.environ |= {"MLFLOW_TRACKING_URI": "sqlite:///here", "WANDB_MODE": "dryrun"}
    assert os.environ["WANDB_MODE"] == "online"
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_a_local_store_of_mlflow_needs_a_database(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "mlflow" or None)
    node = {"_target_": "pytorch_lightning.loggers.MLFlowLogger"}
    with pytest.raises(UserError, match=r"pip install 'diffstn\[mlflow\]'"):
        check_loggers({"mlflow": node}, {})
    check_loggers({"mlflow": {**node, "tracking_uri": "http://there"}}, {})


def test_settings_have_the_names_of_the_command_line():
    assert flat({"a": {"b": 1, "c": {}}, "d": [2]}) == {"a.b": 1, "d": [2]}
