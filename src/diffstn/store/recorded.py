"""How a run ends, whatever happens."""

import gc
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from diffstn.store.logs import LogFile
from diffstn.store.run_folder import RunFolder


@contextmanager
def recorded(run: RunFolder) -> Iterator[Any]:
    """Within this context `train.log` keeps what is said and `status.json` how it ends."""
    with LogFile(run.log) as log:
        try:
            run.status("running")
            yield log
        except KeyboardInterrupt:
            run.status("interrupted", error="interrupted", resume=run.how_to_resume)
            log.warning("to go on: %s", run.how_to_resume)
            raise
        except Exception as error:
            run.status("failed", error=str(error).splitlines()[0] if str(error) else repr(error))
            log.error(traceback.format_exc())
            raise
        finally:
            if torch.cuda.is_available():  # for the next job of a sweep
                gc.collect()
                torch.cuda.empty_cache()
