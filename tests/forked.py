"""Processes of their own for tests, without the seconds that imports take."""

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path


class Forked:
    """A copy of this process that does `work` in `folder` and exits with what it returns.

    It knows all modules already. What it says goes to `said`; nothing of it reaches this process.

    Args:
        work: returns an exit code.
        folder: where it works.
        environment: variables beside those of this process.
    """

    def __init__(
        self,
        work: Callable[[], int],
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.said = folder / f"said-{os.urandom(4).hex()}.txt"
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._run(work, folder, environment or {})

    def _run(self, work: Callable[[], int], folder: Path, environment: Mapping[str, str]) -> None:
        code = 1
        try:
            file = os.open(self.said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for stream in (1, 2):
                os.dup2(file, stream)
            sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
            sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.default_int_handler if number == 2 else signal.SIG_DFL)
            os.environ.update(environment)
            os.chdir(folder)
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code when it has ended; minus the signal that ended it."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def two_ranks(work: Callable[[], int], folder: Path, starter: str = "torchrun") -> list[Forked]:
    """Two processes that do `work` together, as torchrun, torchrun on two nodes or SLURM starts
    them."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    shared = {
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "GROUP_RANK": "0",
        "TORCHELASTIC_RUN_ID": "test",
    }
    slurm = {
        "SLURM_NTASKS": "2",
        "SLURM_NTASKS_PER_NODE": "2",
        "SLURM_JOB_NAME": "test",
        "SLURM_JOB_ID": str(port),
        "SLURM_NODELIST": "localhost",
        "SLURM_NODEID": "0",
        "MASTER_PORT": str(port),
    }

    def told(rank: str) -> dict[str, str]:
        if starter == "slurm":
            return {**slurm, "SLURM_PROCID": rank, "SLURM_LOCALID": rank}
        if starter == "torchrun on two nodes":
            nodes = {"LOCAL_WORLD_SIZE": "1", "GROUP_RANK": rank, "LOCAL_RANK": "0"}
            return {**shared, **nodes, "RANK": rank}
        return {**shared, "RANK": rank, "LOCAL_RANK": rank}

    return [Forked(work, folder, told(rank)) for rank in ("0", "1")]
