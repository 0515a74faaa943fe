"""One dashboard: a logger that is told everything once, and how its run ended."""

import functools
import io
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml
from pytorch_lightning.loggers import Logger

from diffstn.callbacks.steps import steps
from diffstn.callbacks.told import Told
from diffstn.errors import Stopped
from diffstn.store.bounded import reason
from diffstn.store.logs import log
from diffstn.store.markdown import markdown
from diffstn.store.run_folder import first_rank
from diffstn.words import one_line

FLUSH = "WANDB__TRANSACTION_LOG_FLUSH_INTERVAL"
"""After how many seconds W&B writes what it was told to its file; 15 if nobody says."""
ROWS = "_step"
"""W&B's own count of rows, which may only grow."""
KILLED = 255
"""The exit code by which W&B knows a run that its user ended."""


def unheard(tell: Callable[..., None]) -> Callable[..., None]:
    """A method of `Dashboard` whose failure ends no run: a line says so, once for each cause.

    A server that is away for an hour does not end a training of a day.
    """

    @functools.wraps(tell)
    def told(board: "Dashboard", *arguments: Any, **named: Any) -> None:
        try:
            tell(board, *arguments, **named)
        except Exception as error:  # whatever a network, a server or a database makes it raise
            if str(getattr(error, "filename", None) or "").startswith(str(board.told.path)):
                raise  # the run's folder is gone or full
            if (why := reason(error)) not in board.failures:
                board.failures.add(why)
                log.warning("logger=%s: %s; the run goes on", board.name, one_line(why))

    return told


class Dashboard:
    """Says to a logger what it can show: numbers, figures, tables, the configuration, the end.

    Steps are those of the optimiser. Lightning's own count, at the end of a batch, is one less, and
    is put right on the way. Of several processes the first one speaks.

    Args:
        name: by which the user knows it.
        logger: its `log_metrics` is replaced by one that leaves out what was told before.
        told: up to where that is.
    """

    def __init__(self, name: str, logger: Logger, told: Told) -> None:
        os.environ.setdefault(FLUSH, "0.05")
        self.name, self.logger, self.told = name, logger, told
        self.trainer: pl.Trainer | None = None
        self.speaks = first_rank()
        self.failures: set[str] = set()
        self.log_all, self.save_all = logger.log_metrics, logger.save
        if self.speaks:
            logger.log_metrics = self.log  # type: ignore[method-assign]
            for name in ("save", "finalize"):  # which Lightning calls
                quiet = functools.partial(self.call, getattr(logger, name))
                setattr(logger, name, quiet)

    @unheard
    def call(self, function: Callable[..., None], *arguments: Any, **named: Any) -> None:
        """Call one of the logger's own functions."""
        function(*arguments, **named)

    @property
    def experiment(self) -> Any:
        """What the logger speaks to."""
        return self.logger.experiment  # type: ignore[attr-defined]

    @cached_property
    def kind(self) -> str:
        """Which of those that we know: wandb, tensorboard, mlflow; or none of them."""
        known = {"mark_preempting": "wandb", "add_scalar": "tensorboard", "log_batch": "mlflow"}
        experiment = getattr(self.logger, "experiment", None)
        return next((kind for has, kind in known.items() if hasattr(experiment, has)), "")

    @property
    def identity(self) -> str | None:
        """By which the logger would go on with what it began."""
        return getattr(self.logger, "run_id", None) or getattr(self.experiment, "id", None)

    # what it shows

    def begin(self, config: Mapping[str, Any], resumes: bool) -> None:
        """Tell the configuration."""
        text = yaml.safe_dump(dict(config), sort_keys=False)
        if self.kind == "mlflow":
            self._begin_mlflow(flat(config), text, resumes)
        elif self.kind == "tensorboard":
            self.logger.log_hyperparams(flat(config))
            if not resumes:
                self.experiment.add_text("config", f"```yaml\n{text}```")
        else:
            self.logger.log_hyperparams(dict(config))
        done = self.told.before.get(self.name, {}).get(ROWS, -1)
        if self.kind == "wandb" and self._rows() <= done:  # offline, each folder begins at 0
            self.experiment.log({"resumed": 1}, step=done + 1)

    def _rows(self) -> int:
        """How many rows W&B has."""
        try:
            return int(self.experiment.step)
        except Exception:  # switched off by WANDB_MODE
            return 0

    def _begin_mlflow(self, settings: dict[str, Any], text: str, resumes: bool) -> None:
        """MLflow takes a parameter once; what a resumed run changes becomes a tag."""
        client, run = self.experiment, self.identity
        known = client.get_run(run).data.params if resumes else {}
        self.logger.log_hyperparams({k: v for k, v in settings.items() if k not in known})
        for name in known.keys() & settings.keys():
            if known[name] != str(settings[name])[:250]:
                client.set_tag(run, f"resumed.{name}", str(settings[name]))
        if commit := settings.get("environment.commit"):
            client.set_tag(run, "mlflow.source.git.commit", commit)
        client.log_text(run, text, "config.yaml")
        client.update_run(run, status="RUNNING")
        finalize = self.logger.finalize

        def go_on(status: str) -> None:
            finalize(status)
            self.call(client.update_run, run, status="RUNNING")  # an evaluation follows

        self.logger.finalize = go_on  # type: ignore[method-assign]

    @unheard
    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Numbers of a step."""
        if step is None:
            self.log_all(metrics)  # type: ignore[arg-type]
            return
        if self.trainer and step == self.trainer.fit_loop.epoch_loop._batches_that_stepped:
            step = steps(self.trainer)
        news = self.told.news(self.name, metrics, step)
        if news:
            self.log_all({name: metrics[name] for name in news}, step)
            self.note(news, step)

    def note(self, names: Sequence[str], step: int) -> None:
        """Make sure that it is kept, and remember it."""
        self.save_all()
        if self.kind == "wandb":
            self.told.last.setdefault(self.name, {})[ROWS] = self._rows()
        self.told.note(self.name, names, step)

    @unheard
    def figure(self, name: str, path: Path, step: int) -> None:
        """A figure, or a moving one where videos can be shown."""
        moving = path.suffix == ".gif"
        if not self.speaks:
            return
        if moving and hasattr(self.logger, "log_video"):
            self.logger.log_video(name, [str(path)], step, format=["gif"])
        elif not moving and hasattr(self.logger, "log_image"):
            self.logger.log_image(name, [str(path)], step)
        elif self.told.news(self.name, [name], step):
            if self.kind == "tensorboard" and not moving:
                self.experiment.add_image(name, pixels(path), step, dataformats="HWC")
            elif self.kind == "mlflow":
                self._keep(name, path, step)
            else:
                return
            self.note([name], step)

    def _keep(self, name: str, path: Path, step: int) -> None:
        """MLflow shows images of names without folders along the steps; others are files."""
        if name.startswith("val/") and hasattr(self.experiment, "log_image"):
            self.experiment.log_image(
                self.identity, pixels(path), key=name, step=step, synchronous=True
            )
        else:
            self.experiment.log_artifact(self.identity, str(path), "figures")

    @unheard
    def table(
        self, name: str, header: Sequence[str], rows: Sequence[Sequence[Any]], step: int
    ) -> None:
        """A table."""
        if hasattr(self.logger, "log_table"):
            self.logger.log_table(name, list(header), [list(row) for row in rows], step=step)
        elif self.kind == "tensorboard":
            self.experiment.add_text(name, markdown(header, rows), step)
        elif self.kind == "mlflow":
            content = {"columns": list(header), "data": [list(row) for row in rows]}
            self.experiment.log_dict(self.identity, content, f"{name}.json")

    @unheard
    def results(self, numbers: Mapping[str, float], step: int) -> None:
        """The final numbers, in TensorBoard also beside the hyperparameters."""
        self.log(numbers, step)
        if self.kind == "tensorboard":
            from torch.utils.tensorboard.summary import hparams

            settings = {k: plain(v) for k, v in self.logger.hparams.items()}  # type: ignore[attr-defined]
            for summary in hparams(settings, dict(numbers)):
                self.experiment._get_file_writer().add_summary(summary)
            self.logger.save()

    @unheard
    def checkpoint(self, path: Path) -> None:
        """Keep a checkpoint as an artifact, if the logger was asked to keep models."""
        if not getattr(self.logger, "_log_model", False) or not path.exists():
            return
        if self.kind == "wandb":
            name = f"model-{self.identity}-{path.stem}"
            self.experiment.log_artifact(str(path), name=name, type="model")
        elif self.kind == "mlflow":
            self.experiment.log_artifact(self.identity, str(path), path.stem)

    def finish(self, error: BaseException | None) -> None:
        """Say how the run ended: well, failed, or asked to stop and to be resumed."""
        self.logger.log_metrics = self.log_all  # type: ignore[method-assign]
        stopped = isinstance(error, Stopped | KeyboardInterrupt)
        with suppress(Exception):  # one that could not begin
            if self.kind == "wandb":
                why = getattr(error, "why", "SIGINT")
                if stopped and why != "SIGINT":
                    self.experiment.mark_preempting()  # a sweep hands it out again
                code = getattr(error, "code", 1) if error else 0
                by_user = stopped and why == "SIGINT"
                self.experiment.finish(exit_code=KILLED if by_user else code)
            elif self.kind == "mlflow":
                status = "KILLED" if stopped else "FAILED" if error else "FINISHED"
                self.experiment.set_terminated(self.identity, status)
            else:
                end = "finish" if hasattr(self.experiment, "finish") else "close"
                getattr(self.experiment, end, lambda: None)()


def flat(config: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings under the dotted names that the command line gives them."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{name}.")
        else:
            found[name] = value
    return found


def plain(value: Any) -> Any:
    """A value as TensorBoard's table of hyperparameters takes it."""
    return value if isinstance(value, bool | int | float | str) else str(value)


def pixels(path: Path) -> Any:
    """The bytes (H, W, 3) of an image file."""
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))
