import signal
import time
from pathlib import Path

import pytest

from diffstn.errors import UserError
from diffstn.store.one_writer import one_writer
from tests.forked import Forked


def writer(folder: Path) -> Forked:
    """A process that has begun to write, and goes on for a minute."""

    def work() -> int:
        with one_writer(folder):
            (folder / "begun").touch()
            time.sleep(60)
        return 0

    process = Forked(work, folder)
    for _ in range(500):
        if (folder / "begun").exists():
            return process
        time.sleep(0.01)
    raise AssertionError(process.said.read_text())


def test_a_second_process_is_refused_and_a_crash_leaves_no_lock(tmp_path: Path):
    process = writer(tmp_path)
    try:
        with (
            pytest.raises(UserError, match=rf"written by another process \(process {process.pid} "),
            one_writer(tmp_path),
        ):
            pass
    finally:
        process.kill(signal.SIGKILL)
        process.wait()
    with one_writer(tmp_path):
        pass


def test_one_after_the_other(tmp_path: Path):
    for _ in range(2):
        with one_writer(tmp_path / "new"):
            assert (tmp_path / "new").is_dir()


def test_a_file_in_the_way_is_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"), one_writer(tmp_path / "file"):
        pass
