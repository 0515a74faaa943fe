"""A logger."""

from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger


class Lines(Logger):
    """All that is logged, a line each; `save_dir` is filled in with the run's folder."""

    def __init__(self, save_dir: str | None = None, file: str = "lines.txt") -> None:
        super().__init__()
        self.path = Path(save_dir or ".") / file

    @property
    def name(self) -> str:
        return "lines"

    @property
    def version(self) -> int:
        return 0

    @property
    def experiment(self) -> "Lines":
        return self

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        with self.path.open("a") as file:
            file.writelines(
                f"{step} {name} {float(value):.5g}\n" for name, value in metrics.items()
            )

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        with self.path.open("a") as file:
            file.write(f"model {params['model']['_target_']}\n")
