"""How a run is asked to end: by signals, or by the clock."""

import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from types import FrameType
from typing import Any, NoReturn

from diffstn.errors import Stopped, UserError

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
HANG_UP = getattr(signal, "SIGHUP", 0)
"""What a logout sends."""
TIME_IS_UP = 124
"""The exit code of a training that took all of its time, that of `timeout`."""
log = logging.getLogger("diffstn")


def seconds(max_time: Any) -> float | None:
    """`trainer.max_time` as a number: "DD:HH:MM:SS", or a mapping of days, hours, minutes, seconds.

    Raises:
        UserError: it is neither.
    """
    try:
        if max_time is None:
            return None
        if isinstance(max_time, Mapping):
            return timedelta(**max_time).total_seconds()
        days, hours, minutes, rest = map(int, str(max_time).split(":"))
        if min(days, hours, minutes, rest) < 0:
            raise ValueError
        return timedelta(days, rest, minutes=minutes, hours=hours).total_seconds()
    except (TypeError, ValueError):
        raise UserError(f"trainer.max_time={max_time}: write days:hours:minutes:seconds") from None


class Stopping:
    """Within this context a signal ends the run in good order.

    A training is asked to finish its step; it then writes a checkpoint and stops. Asked twice, or
    while nothing trains, a run stops at once. `Stopped` is raised either way; the exit code is
    128 + the signal's number.

    Args:
        seconds: after which a training is asked to stop, None: never.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.began = time.monotonic()
        self.number: int | None = None
        self.waiting = self.has_trained = False
        self.handlers: dict[int, Any] = {}

    def __enter__(self) -> "Stopping":
        if threading.current_thread() is threading.main_thread():
            self.handlers = {number: signal.getsignal(number) for number in SIGNALS}
            if self.handlers.get(HANG_UP) == signal.SIG_IGN:  # by nohup
                del self.handlers[HANG_UP]
            self.listen()
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self.handlers.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def listen(self) -> None:
        """Take the signals over, also from a trainer that has just done so."""
        if threading.current_thread() is threading.main_thread():
            for number in self.handlers:
                signal.signal(number, self._heard)

    def waits(self, training: bool) -> None:
        """Say whether a training runs that finishes its step when it is asked to stop."""
        self.waiting = training
        self.has_trained |= training
        if training:
            self.listen()

    @property
    def asked(self) -> bool:
        """Whether somebody asked to stop, or the time is up."""
        late = self.seconds is not None and time.monotonic() - self.began >= self.seconds
        return self.number is not None or late

    def stop(self, number: int = 0) -> NoReturn:
        """Raise what ends the run: for the signal `number`, or 0, for the time."""
        self.waiting, self.number = False, number or self.number
        if number:
            raise Stopped(signal.Signals(number).name, 128 + number)
        raise Stopped("trainer.max_time is over", TIME_IS_UP)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        again = self.number is not None
        self.number = number
        if self.waiting and not again:
            name = signal.Signals(number).name
            log.warning("%s: after this step a checkpoint; once more stops at once", name)
            return
        self.stop(number)


def requeue(environment: Mapping[str, str] = os.environ) -> str:
    """Ask SLURM to start this job again, if it is one; a line that says whether it will.

    For a job that was asked to stop by SIGUSR1, `sbatch --signal=USR1@120`.
    """
    job = environment.get("SLURM_JOB_ID")
    if array := environment.get("SLURM_ARRAY_JOB_ID"):
        job = f"{array}_{environment.get('SLURM_ARRAY_TASK_ID', '')}"
    if not job:
        return ""
    command = shutil.which("scontrol")
    if command is None:
        return f"SLURM job {job}: there is no scontrol to requeue it"
    done = subprocess.run([command, "requeue", job], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        return f"SLURM job {job} is not requeued: {' '.join(reason) or done.returncode}"
    return f"SLURM job {job} is requeued"
