"""What one dashboard is told, and how it learns of the end."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from diffstn.callbacks.dashboard import KILLED, Dashboard
from diffstn.callbacks.told import Told
from diffstn.errors import Stopped


class Logger:
    """Remembers what it is told."""

    def __init__(self, experiment: Any) -> None:
        self.experiment = experiment
        self.rows: list[tuple[dict[str, float], int | None]] = []

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        self.rows.append((dict(metrics), step))

    def save(self) -> None:
        pass

    def finalize(self, status: str) -> None:
        pass


class Images(Logger):
    shown: list[Any]

    def log_image(self, name: str, files: list[str], step: int) -> None:
        self.shown = [name, Path(files[0]).name, step]


class Videos(Images):
    def log_video(self, name: str, files: list[str], step: int, format: list[str]) -> None:
        self.shown = [name, Path(files[0]).name, step, *format]


class Experiment:
    """As W&B's."""

    id = "7"
    step = 0

    def __init__(self) -> None:
        self.said: list[Any] = []

    def mark_preempting(self) -> None:
        self.said.append("preempting")

    def finish(self, exit_code: int) -> None:
        self.said.append(exit_code)

    def log_artifact(self, path: str, name: str, type: str) -> None:
        self.said.append((Path(path).name, name, type))


class Client:
    """As MLflow's."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def log_batch(self) -> None:
        pass

    def set_terminated(self, run: str, status: str) -> None:
        self.said.append(status)

    def log_artifact(self, run: str, path: str, folder: str) -> None:
        self.said.append(f"{folder}/{Path(path).name}")


class Events:
    """As TensorBoard's."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def add_scalar(self) -> None:
        pass

    def add_image(self, name: str, pixels: Any, step: int, dataformats: str) -> None:
        self.said.append((name, pixels.shape, step))

    def close(self) -> None:
        self.said.append("closed")


def board(experiment: Any, path: Path, kind: type[Logger] = Logger) -> Dashboard:
    return Dashboard("mine", kind(experiment), Told(path / "told.json"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "wandb", "mlflow"),
    [
        (None, [0], "FINISHED"),
        (ValueError("oh"), [1], "FAILED"),
        (KeyboardInterrupt(), [KILLED], "KILLED"),
        (Stopped("SIGINT", 130), [KILLED], "KILLED"),
        (Stopped("SIGTERM", 143), ["preempting", 143], "KILLED"),
        (Stopped("trainer.max_time is over", 124), ["preempting", 124], "KILLED"),
    ],
)
def test_the_end_is_told(error: Any, wandb: list[Any], mlflow: str, tmp_path: Path):
    one, other, third = Experiment(), Client(), Events()
    for experiment in (one, other, third):
        board(experiment, tmp_path).finish(error)
    assert one.said == wandb
    assert other.said == [mlflow]
    assert third.said == ["closed"]


def test_what_an_earlier_process_told_is_not_told_again(tmp_path: Path):
    first = board(Client(), tmp_path)
    first.logger.log_metrics({"a": 1.0, "b": 2.0}, 3)
    first.logger.log_metrics({"a": 1.5}, 3)  # two values of a step, within one process
    first.logger.log_metrics({"a": 2.0}, 5)
    assert [step for _, step in first.logger.rows] == [3, 3, 5]  # type: ignore[attr-defined]
    second = board(Client(), tmp_path)
    second.logger.log_metrics({"a": 1.0, "b": 2.0}, 3)
    second.logger.log_metrics({"a": 2.0, "b": 3.0, "c": 4.0}, 5)
    second.logger.log_metrics({"a": 7.0}, 7)
    rows = second.logger.rows  # type: ignore[attr-defined]
    assert rows == [({"b": 3.0, "c": 4.0}, 5), ({"a": 7.0}, 7)]
    second.told.forget()
    second.logger.log_metrics({"a": 1.0}, 3)
    assert rows[-1] == ({"a": 1.0}, 3)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"mine": 3}', '{"mine": {"a": "x"}}', "\0"])
def test_a_damaged_memory_is_none(content: str, tmp_path: Path):
    (tmp_path / "told.json").write_text(content)
    one = board(Client(), tmp_path)
    one.logger.log_metrics({"a": 1.0}, 0)
    assert one.logger.rows == [({"a": 1.0}, 0)]  # type: ignore[attr-defined]


def test_a_folder_that_is_gone_does_not_come_back(tmp_path: Path):
    one = board(Client(), tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        one.logger.log_metrics({"a": 1.0}, 0)


@pytest.mark.parametrize("asked", [True, False])
def test_the_last_checkpoint_is_kept_if_asked_for(asked: bool, tmp_path: Path):
    (tmp_path / "last.ckpt").touch()
    one, other = board(Experiment(), tmp_path), board(Client(), tmp_path)
    for some in (one, other):
        some.logger._log_model = asked  # type: ignore[attr-defined]
        some.checkpoint(tmp_path / "last.ckpt")
        some.checkpoint(tmp_path / "none.ckpt")
    assert one.experiment.said == [("last.ckpt", "model-7-last", "model")] * asked
    assert other.experiment.said == ["last/last.ckpt"] * asked


def test_a_resumed_folder_of_wandb_counts_on(tmp_path: Path):
    class Resumed(Experiment):
        def log(self, metrics: Any, step: int) -> None:
            self.said.append((metrics, step))

    class Configured(Logger):
        def log_hyperparams(self, params: Any) -> None:
            self.params = params

    first = board(Resumed(), tmp_path, Configured)
    first.experiment.step = 5
    first.logger.log_metrics({"a": 1.0}, 3)
    second = board(Resumed(), tmp_path, Configured)
    second.begin({"model": {"width": 3}}, resumes=True)
    assert second.logger.params == {"model": {"width": 3}}  # type: ignore[attr-defined]
    assert second.experiment.said == [({"resumed": 1}, 6)]


def test_a_figure_goes_where_it_can_be_shown(tmp_path: Path):
    for name in ("a.png", "a.gif"):
        Image.new("RGB", (8, 6)).save(tmp_path / name)
    images, videos = board(None, tmp_path, Images), board(None, tmp_path, Videos)
    client, events = board(Client(), tmp_path), board(Events(), tmp_path)
    for one in (images, videos, client, events):
        one.figure("still", tmp_path / "a.png", 3)
    assert images.logger.shown == ["still", "a.png", 3]  # type: ignore[attr-defined]
    assert client.experiment.said == ["figures/a.png"]
    assert events.experiment.said == [("still", (6, 8, 3), 3)]
    for one in (images, videos, client, events):
        one.figure("moving", tmp_path / "a.gif", 4)
    assert images.logger.shown == ["still", "a.png", 3]  # type: ignore[attr-defined]
    assert videos.logger.shown == ["moving", "a.gif", 4, "gif"]  # type: ignore[attr-defined]
    assert client.experiment.said == ["figures/a.png", "figures/a.gif"]
    assert len(events.experiment.said) == 1


def test_one_that_fails_ends_no_run(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    class Gone(Videos):
        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            raise ConnectionError("nobody answers\nTraceback")

        log_image = log_video = log_metrics  # type: ignore[assignment]

        def save(self) -> None:
            raise OSError(28, "No space left on device", "events")

        def finalize(self, status: str) -> None:
            raise RuntimeError(f"cannot {status}")

    told = Told(tmp_path / "told.json")
    board = Dashboard("wandb", Gone(Experiment()), told)  # type: ignore[arg-type]
    with caplog.at_level("WARNING", "diffstn"):
        for step in range(3):
            board.log({"a": 1.0}, step)
        board.figure("x", tmp_path / "x.gif", 3)
        board.logger.save()  # as Lightning does
        board.logger.finalize("success")
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "logger=wandb: nobody answers; the run goes on"
    assert len(said) == 4  # for each cause one
    assert told.news("wandb", ["a"], 0) == ["a"]  # a resumed run says it again
