"""What a run says, on the terminal and in its folder."""

import logging
import warnings
from contextlib import suppress
from pathlib import Path

from diffstn.store.run_folder import first_rank

log = logging.getLogger("diffstn")


def quiet_libraries() -> None:
    """Keep library chatter that tells our users nothing out of the terminal."""
    for name in ("pytorch_lightning", "lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"pytorch_lightning.*")
    warnings.filterwarnings("ignore", message=r".*(does not have many workers|num_workers).*")
    warnings.filterwarnings("ignore", message=r".*lr_scheduler.step\(\).*")


class LogFile:
    """Within this context, everything logged under `diffstn` also goes to a file.

    Of several processes that train together only the first speaks; of the others, errors are kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> logging.Logger:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = logging.FileHandler(self.path, delay=True)
        self.file.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk
        self.file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self.terminal = logging.StreamHandler()
        self.terminal.setFormatter(logging.Formatter("%(message)s"))
        self.terminal.addFilter(lambda record: record.levelno < logging.ERROR)
        log.setLevel(logging.INFO if first_rank() else logging.ERROR)
        log.propagate = False
        log.addHandler(self.file)
        log.addHandler(self.terminal)
        return log

    def __exit__(self, *exception: object) -> None:
        for handler in (self.file, self.terminal):
            log.removeHandler(handler)
            with suppress(OSError):  # a full disk
                handler.close()
