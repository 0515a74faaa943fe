"""What is said of long work: a bar on a terminal, now and then a line in a log."""

import time

import pytest

from diffstn.tasks import batches
from diffstn.tasks.batches import progress


def told(steps: int, seconds: float) -> None:
    with progress(steps, "evaluating test", "image") as bar:
        for _ in range(steps):
            time.sleep(seconds)
            bar.update(1)


def test_a_log_gets_lines_of_long_work(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(batches, "MINUTE", 0.1)
    told(10, 0.05)
    lines = [line.strip() for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert 2 <= len(lines) < 10, lines
    assert all(line.startswith("evaluating test: ") and " of 10 [" in line for line in lines)


def test_a_log_gets_nothing_of_short_work(capfd: pytest.CaptureFixture[str]) -> None:
    told(10, 0)
    assert capfd.readouterr().err == ""
