"""A disk that is full, and a folder that is gone, while a training runs."""

import json
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from diffstn.cli.train import train_command
from diffstn.store.whole_files import is_whole
from tests.conftest import SMALL
from tests.forked import Forked

WORDS = [
    *SMALL,
    *("model=stn", "encoder=fc", "classifier=joint", "epochs=3", "checkpoint.minutes=0"),
    "out=run/it",
]


def trained(folder: Path, meddle: Callable[[int], Any]) -> Forked:
    """A training in a process of its own; `meddle` is called with the number of every epoch."""

    def work() -> int:
        from diffstn.callbacks.metrics_csv import MetricsCSV

        before = MetricsCSV.on_train_epoch_end

        def after(self: Any, trainer: pl.Trainer, module: pl.LightningModule) -> None:
            before(self, trainer, module)
            meddle(trainer.current_epoch)

        MetricsCSV.on_train_epoch_end = after  # type: ignore[method-assign]
        return train_command(WORDS)

    return Forked(work, folder)


def refused(process: Forked) -> str:
    """The one line of a command that must have failed."""
    code, said = process.wait(), process.said.read_text()
    assert code == 2, said
    assert "Traceback" not in said
    [line] = [line for line in said.splitlines() if line.startswith("error: ")]
    assert len(line) <= 400
    return line


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 megabytes, where we may mount one."""
    place = tmp_path / "run"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(place)]
    try:
        done = subprocess.run(words, capture_output=True, check=False).returncode
    except OSError:
        done = 1
    if done:
        pytest.skip("nobody may mount a disk here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def whole(run: Path) -> bool:
    """Whether a checkpoint to go on from is there, and no half one."""
    places = [run / "checkpoints" / name for name in ("last.ckpt", "last.ckpt.before")]
    return any(map(is_whole, places)) and not list(run.glob("**/*.part"))


@pytest.mark.usefixtures("workplace")
def test_a_disk_that_fills_up_ends_a_training_in_a_line(tmp_path: Path, small_disk: Path):
    def fill(epoch: int) -> None:
        if epoch == 1:
            with (small_disk / "other").open("wb") as file:
                while True:
                    try:
                        file.write(b"\1" * 4096)
                        file.flush()
                    except OSError:
                        return

    line = refused(trained(tmp_path, fill))
    assert "No space left on device" in line
    assert whole(small_disk / "it")
    (small_disk / "other").unlink()
    again = Forked(lambda: train_command(["out=run/it", "resume=true"]), tmp_path)
    assert again.wait() == 0, again.said.read_text()
    assert json.loads((small_disk / "it/status.json").read_text())["state"] == "done"


@pytest.mark.usefixtures("workplace")
def test_files_that_may_not_grow_end_a_training_in_a_line(tmp_path: Path):
    def bound(epoch: int) -> None:
        if epoch == 1:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    assert "File too large" in refused(trained(tmp_path, bound))
    assert whole(tmp_path / "run/it")


@pytest.mark.usefixtures("workplace")
def test_a_folder_that_is_removed_ends_a_training_in_a_line(tmp_path: Path):
    def remove(epoch: int) -> None:
        if epoch == 1:
            shutil.rmtree("run")

    assert "is gone, and with it this run" in refused(trained(tmp_path, remove))
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("workplace")
def test_a_kill_leaves_nothing_in_the_systems_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)

    def kill(epoch: int) -> None:
        import torch

        save = torch.save

        def half(content: Any, file: Any) -> None:
            save({"a": torch.ones(9)}, file)
            os.kill(os.getpid(), signal.SIGKILL)

        torch.save = half

    process = trained(tmp_path, kill)
    assert process.wait() == -signal.SIGKILL
    assert not list(temporary.iterdir())
    assert list((tmp_path / "run/it/checkpoints").glob("*.part"))  # overwritten by the next
