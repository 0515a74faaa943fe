"""Dashboards beside `metrics.csv`, as many at once as one likes."""

import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger

from diffstn.annotations import parameters
from diffstn.build import instantiated, user_errors
from diffstn.callbacks.dashboard import FLUSH, Dashboard
from diffstn.callbacks.mlflow_store import local_store
from diffstn.callbacks.panels import Panels
from diffstn.callbacks.step_curves import StepCurves
from diffstn.callbacks.steps import steps
from diffstn.callbacks.told import Told
from diffstn.errors import UserError
from diffstn.figures.confusion import confusions
from diffstn.located import located
from diffstn.store.bounded import identities
from diffstn.store.run_folder import RunFolder, first_rank

WRITING = tuple(
    f"pytorch_lightning.callbacks.{name}" for name in ("LearningRateMonitor", "DeviceStatsMonitor")
)
"""Callbacks whose numbers go to loggers alone."""
MLFLOW_URI = "MLFLOW_TRACKING_URI"
LEFT_BEHIND = (MLFLOW_URI, "WANDB_MODE", FLUSH)
"""Variables that loggers set, and that the next run of this process shall not hear."""
IDENTITIES = ("id", "run_id")
"""Parameters by which loggers go on with what they began."""


def check_loggers(nodes: Mapping[str, Any], callbacks: Mapping[str, Any]) -> None:
    """Refuse loggers whose package is not installed, and callbacks that have none to write to.

    Args:
        nodes: of the loggers, by name.
        callbacks: nodes, by name.

    Raises:
        UserError: it names the remedy.
    """
    for name, node in nodes.items():
        ours = str(node["_target_"]).startswith("pytorch_lightning.")
        elsewhere = node.get("tracking_uri") or os.environ.get(MLFLOW_URI)
        needs = (name, "sqlalchemy", "alembic") if name == "mlflow" and not elsewhere else (name,)
        if ours and any(importlib.util.find_spec(package) is None for package in needs):
            raise UserError(f"logger={name} needs: pip install 'diffstn[{name}]'")
    for name, node in callbacks.items():
        if not nodes and str(node["_target_"]).startswith(WRITING):
            raise UserError(
                f"callbacks={name} writes to a logger, and there is none: add logger=tensorboard or"
                " another (metrics.csv has the learning rate anyway)"
            )


@contextmanager
def dashboards(
    nodes: Mapping[str, Any], run: RunFolder, config: Mapping[str, Any]
) -> Iterator[list[Dashboard]]:
    """Loggers that know the run's folder, name and configuration.

    What they leave on disk goes to the run's folder. A resumed run goes on with what it began,
    whose identities are kept in `loggers.json`, and tells nothing twice. Whatever happens, they are
    finished at the end, and say how it came.

    Raises:
        UserError: one of them cannot begin, as where nobody has logged in.
    """
    variables = {name: os.environ.get(name) for name in LEFT_BEHIND}
    began = identities(run.read_json("loggers"))
    told = Told(run.path / "told.json")
    made = {name: _logger(name, node, run, began.get(name)) for name, node in nodes.items()}
    boards = [Dashboard(name, one, told) for name, one in made.items()]
    ended: BaseException | None = None
    try:
        if boards and first_rank():
            for board in boards:
                _begin(board, nodes[board.name], config, board.name in began)
            found = {board.name: board.identity for board in boards}
            run.write_json("loggers", {name: one for name, one in found.items() if one})
        yield boards
    except BaseException as error:
        ended = error
        raise
    finally:
        for board in boards:
            if board.speaks:
                board.finish(ended)
        for name, value in variables.items():
            os.environ.pop(name, None)
            os.environ |= {name: value} if value is not None else {}


def _begin(
    board: Dashboard, node: Mapping[str, Any], config: Mapping[str, Any], resumes: bool
) -> None:
    try:
        board.begin(config, resumes)
    except Exception as error:  # whatever a network or a server makes it raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        offline = f"; or pass logger.{board.name}.offline=true" if "offline" in node else ""
        raise UserError(f"logger={board.name} cannot begin: {reason}{offline}") from error


def _logger(name: str, node: Mapping[str, Any], run: RunFolder, identity: Any) -> Logger:
    """The logger of a node; what that leaves open is the run's.

    An agent of a sweep says in the environment who the run is.
    """
    path, name_of_run = str(run.path), run.path.name
    known: dict[str, Any] = {"save_dir": path, "run_name": name_of_run, "name": name_of_run}
    given = os.environ.get(f"{name.upper()}_RUN_ID") or identity
    known |= dict.fromkeys(IDENTITIES, given if isinstance(given, str) else None)
    takes = parameters(located(node["_target_"]))
    known["tracking_uri"] = os.environ.get(MLFLOW_URI)
    if "tracking_uri" in takes and not (known["tracking_uri"] or node.get("tracking_uri")):
        known["tracking_uri"], known["artifact_location"] = local_store(run.path)
    fill = {k: v for k, v in known.items() if k in takes and node.get(k) is None and v}
    with user_errors(f"logger={name}"):
        return instantiated({**node, **fill}, f"logger.{name}")


def watching_boards(
    boards: Sequence[Dashboard], watching: Sequence[pl.Callback]
) -> list[pl.Callback]:
    """What tells dashboards, where there are any, how a training goes."""
    return [StepCurves(), Panels(boards, watching)] if boards else []


def show_results(
    boards: Sequence[Dashboard],
    metrics: Mapping[str, Any],
    figures: Sequence[tuple[str, Path]],
    checkpoints: Path,
) -> None:
    """Show the final numbers as `test/…`, the figures, and the confusions as a table."""
    numbers = {f"test/{name}": value for name, value in metrics["numbers"].items()}
    for board in boards:
        step = steps(board.trainer) if board.trainer else 0
        board.told.forget()
        board.results(numbers, step)
        for name, path in figures:
            board.figure(name, path, step)
        if found := confusions(metrics):
            rows = zip(found["classes"], found["rows"], strict=True)
            header = ["true", *found["classes"]]
            board.table("confusion_table", header, [[name, *row] for name, row in rows], step)
        board.checkpoint(checkpoints / "last.ckpt")
