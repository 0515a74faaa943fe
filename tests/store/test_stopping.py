"""Signals end a run in good order."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from diffstn.errors import Stopped
from diffstn.store.stopping import SIGNALS, TIME_IS_UP, Stopping, requeue


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """As in a process that nobody has told to ignore it, whoever started this one."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def send(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0.01)  # Python runs the handler between two of its own steps


@pytest.mark.parametrize("number", SIGNALS)
def test_where_nothing_trains_it_stops_at_once(number: signal.Signals):
    with pytest.raises(Stopped) as stopped, Stopping():
        send(number)
    assert (stopped.value.why, stopped.value.code) == (number.name, 128 + number)


def test_a_training_is_asked_first_and_stopped_when_asked_again(caplog: pytest.LogCaptureFixture):
    with Stopping() as stopping:
        stopping.waits(True)
        assert not stopping.asked
        send(signal.SIGTERM)
        assert stopping.asked
        assert stopping.number == signal.SIGTERM
        with pytest.raises(Stopped, match="SIGINT"):
            send(signal.SIGINT)


def test_handlers_are_given_back():
    before = {number: signal.getsignal(number) for number in SIGNALS}
    with Stopping() as stopping:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as a trainer does
        stopping.waits(True)
        assert signal.getsignal(signal.SIGTERM) == stopping._heard
    assert {number: signal.getsignal(number) for number in SIGNALS} == before


def test_nohup_is_heeded():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Stopping() as stopping:
        stopping.waits(True)
        send(signal.SIGHUP)
        assert not stopping.asked
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_time_is_up():
    assert not Stopping(seconds=60).asked
    stopping = Stopping(seconds=0)
    assert stopping.asked
    with pytest.raises(Stopped, match="max_time") as stopped:
        stopping.stop()
    assert stopped.value.code == TIME_IS_UP


@pytest.fixture
def scontrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in that writes down what it is asked, and fails for job 13."""
    path = tmp_path / "scontrol"
    path.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n'
        '[ "$2" = 13 ] && echo "slurm error: no such job" >&2 && exit 1\nexit 0\n'
    )
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "asked"


def test_slurm_is_asked_to_start_the_job_again(scontrol: Path):
    assert requeue({}) == ""
    assert requeue({"SLURM_JOB_ID": "12"}) == "SLURM job 12 is requeued"
    array = {"SLURM_JOB_ID": "15", "SLURM_ARRAY_JOB_ID": "14", "SLURM_ARRAY_TASK_ID": "3"}
    assert requeue(array) == "SLURM job 14_3 is requeued"
    assert scontrol.read_text().splitlines() == ["requeue 12", "requeue 14_3"]
    said = requeue({"SLURM_JOB_ID": "13"})
    assert said == "SLURM job 13 is not requeued: slurm error: no such job"


def test_without_slurm_s_command_it_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert "no scontrol" in requeue({"SLURM_JOB_ID": "12"})
