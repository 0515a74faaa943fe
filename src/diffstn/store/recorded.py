"""How a run ends, whatever happens."""

import gc
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch

from diffstn.errors import UNWRITABLE, Stopped, UserError
from diffstn.ranks import deserted
from diffstn.store.logs import LogFile
from diffstn.store.run_folder import RunFolder, first_rank
from diffstn.store.stopping import requeue


@contextmanager
def recorded(run: RunFolder) -> Iterator[Any]:
    """Within this context `train.log` keeps what is said and `status.json` how it ends."""
    with LogFile(run.log) as log:
        try:
            run.status("running")
            yield log
        except (Stopped, KeyboardInterrupt) as stopped:
            why = getattr(stopped, "why", "interrupted")
            with suppress(OSError):
                run.status("interrupted", error=why, resume=run.how_to_resume)
            log.warning("%s; to go on: %s", why, run.how_to_resume)
            if why == "SIGUSR1" and first_rank() and (said := requeue()):
                log.warning(said)
            raise
        except Exception as error:
            problem = unwritable(error, run) or deserted(error) or error
            line = str(problem).splitlines()[0] if str(problem) else repr(problem)
            if run.path.exists():
                with suppress(OSError):
                    run.status("failed", error=line)
            log.error(traceback.format_exc())
            if problem is error:
                raise
            raise problem from error
        finally:
            if torch.cuda.is_available():  # for the next job of a sweep
                gc.collect()
                torch.cuda.empty_cache()


def unwritable(error: Exception, run: RunFolder) -> UserError | None:
    """What to say of a disk that is full, or of a folder that is gone or not ours."""
    if not isinstance(error, OSError):
        return None
    if not run.path.exists():
        return UserError(f"{run.path} is gone, and with it this run")
    if error.errno in UNWRITABLE:
        where = error.filename or run.path
        return UserError(f"{where} cannot be written ({error.strerror}); what was there stays")
    return None
