"""One process at a time writes to a run's folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diffstn.errors import UserError

NAME = ".writing"


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Within this context no other process gets this far with `folder`.

    The system holds the lock for as long as the process lives, so that none is left behind by a
    crash. Where it has no such locks (Windows, some network file systems), nobody is refused.

    Raises:
        UserError: another process writes to the folder, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / NAME).open("a+")
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror}); choose another out="
        ) from None
    with file:
        try:
            import fcntl

            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read().strip()
            raise UserError(
                f"{folder} is being written by another process{who and f' ({who})'}; wait for it,"
                " or choose another out="
            ) from None
        except (ImportError, OSError):
            pass
        file.truncate(0)
        file.write(
            f"process {os.getpid()} on {os.uname().nodename if hasattr(os, 'uname') else ''}"
        )
        file.flush()
        yield  # the file stays: whoever removed it could let two in
