"""A checkpoint is whole or not there, whatever happens while it is written."""

import io
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from diffstn.errors import Stopped, UserError
from diffstn.store.whole_files import BEFORE, WholeFiles, is_kept, is_whole, newest_whole
from tests.forked import Forked

save = WholeFiles().save_checkpoint


def content(value: float) -> dict[str, torch.Tensor]:
    return {"weights": torch.full((1000,), value)}


def value(path: Path) -> float:
    return float(torch.load(path, weights_only=True)["weights"][0])


def test_the_one_before_is_kept(tmp_path: Path):
    path = tmp_path / "checkpoints" / "last.ckpt"
    for i in range(3):
        save(content(i), path)
    assert value(path) == 2
    assert value(Path(f"{path}{BEFORE}")) == 1
    assert {p.name for p in path.parent.iterdir()} == {"last.ckpt", f"last.ckpt{BEFORE}"}
    assert newest_whole(path.parent, "last") == (path, "")
    WholeFiles().remove_checkpoint(path)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_kill_while_writing_leaves_a_whole_one(tmp_path: Path, moment: str):
    path = tmp_path / "last.ckpt"
    save(content(1), path)

    def die() -> int:
        kill: Callable = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
        setattr(os if moment == "fsync" else Path, moment, kill)
        save(content(2), path)
        return 0

    assert Forked(die, tmp_path).wait() == -signal.SIGKILL
    found, said = newest_whole(tmp_path, "last")
    assert found is not None
    assert value(found) == 1
    assert not said
    save(content(3), path)  # the draft that was left is in nobody's way
    assert value(path) == 3
    assert not list(tmp_path.glob("*.part"))


def test_who_stops_it_while_writing_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Torch makes another error of what is raised while it writes."""
    path = tmp_path / "last.ckpt"
    save(content(1), path)

    class Stopping(io.BytesIO):
        written = 0

        def write(self, data: Any) -> int:
            self.written += 1
            if self.written == 2:  # torch still wants to end the archive that it began
                raise Stopped("SIGTERM", 143)
            return super().write(data)

    monkeypatch.setattr(Path, "open", lambda *_, **__: Stopping())
    with pytest.raises(Stopped):
        save(content(2), path)
    monkeypatch.undo()
    assert value(path) == 1


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path):
    path = tmp_path / "last.ckpt"
    save(content(1), path)

    def fill() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        try:
            save(content(2), path)
        except UserError as error:
            return (
                7
                if "cannot be written (File too large)" in str(error) and "\n" not in str(error)
                else 1
            )
        return 0

    assert Forked(fill, tmp_path).wait() == 7
    assert value(path) == 1
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path):
    with pytest.raises(UserError, match="is gone, and with it this run"):
        save(content(1), tmp_path / "gone" / "checkpoints" / "last.ckpt")


def damaged(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    match how:
        case "truncated":
            data = data[: len(data) // 2]
        case "empty":
            data = bytearray()
        case "zeroed":
            data = bytearray(len(data))
        case "one byte":
            data[data.index(content(1)["weights"].numpy().tobytes()[:16]) + 7] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", ["truncated", "empty", "zeroed", "one byte"])
def test_damage_is_seen_and_the_one_before_takes_its_place(tmp_path: Path, how: str):
    path, before = tmp_path / "last.ckpt", tmp_path / f"last.ckpt{BEFORE}"
    save(content(1), path)
    save(content(1), path)
    damaged(path, how)
    assert not is_whole(path)
    found, said = newest_whole(tmp_path, "last")
    assert found == before
    assert said == f"last.ckpt is damaged: {before.name} takes its place"
    damaged(before, how)
    with pytest.raises(UserError, match="are damaged, and there is no other"):
        newest_whole(tmp_path, "last")
    save(content(5), tmp_path / "best.ckpt")
    found, said = newest_whole(tmp_path, "last")
    assert found == tmp_path / "best.ckpt"
    assert said.endswith("best.ckpt takes its place")


def test_a_lost_one_is_kept_as_long_as_the_one_before_is(tmp_path: Path):
    for i in range(2):
        save(content(i), tmp_path / "best.ckpt")
    (tmp_path / "best.ckpt").unlink()
    assert is_kept(tmp_path, "best")
    assert not is_kept(tmp_path, "last")
    path, said = newest_whole(tmp_path, "best")
    assert path is not None
    assert value(path) == 0
    assert said == f"best.ckpt is missing: best.ckpt{BEFORE} takes its place"


def test_what_is_missing_is_said(tmp_path: Path):
    assert newest_whole(tmp_path, "last") == (None, "")
    save(content(5), tmp_path / "best.ckpt")
    path, said = newest_whole(tmp_path, "last")
    assert path == tmp_path / "best.ckpt"
    assert said == "last.ckpt is missing: best.ckpt takes its place"
