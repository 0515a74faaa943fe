import logging
from pathlib import Path

import pytest

from diffstn.store.logs import LogFile


def test_what_is_said_goes_to_the_file_and_tracebacks_only_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "run" / "train.log"
    with LogFile(path) as log:
        log.info("hello")
        logging.getLogger("diffstn.models").info("below")
        log.error("a traceback")
    log.info("later")
    text = path.read_text()
    assert [line.split(" ", 2)[2] for line in text.splitlines()] == [
        "INFO hello",
        "INFO below",
        "ERROR a traceback",
    ]
    assert capsys.readouterr().err == "hello\nbelow\n"


def test_a_resumed_run_adds_to_its_log(tmp_path: Path):
    for word in ("first", "second"):
        with LogFile(tmp_path / "train.log") as log:
            log.info(word)
    assert len((tmp_path / "train.log").read_text().splitlines()) == 2


def test_a_full_disk_at_the_end_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_: logging.FileHandler) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "train.log"
    with monkeypatch.context() as patch:
        patch.setattr(logging.FileHandler, "close", full)
        with LogFile(path) as log:
            log.info("begun")
    assert path.read_text().endswith("INFO begun\n")
    assert not any(getattr(one, "baseFilename", "") == str(path) for one in log.handlers)
