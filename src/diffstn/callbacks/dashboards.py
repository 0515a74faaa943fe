"""Dashboards beside `metrics.csv`, as many at once as one likes."""

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from diffstn.annotations import parameters
from diffstn.build import instantiated, user_errors
from diffstn.errors import UserError
from diffstn.located import located
from diffstn.store.bounded import identities
from diffstn.store.run_folder import RunFolder, first_rank

WRITING = tuple(
    f"pytorch_lightning.callbacks.{name}" for name in ("LearningRateMonitor", "DeviceStatsMonitor")
)
"""Callbacks whose numbers go to loggers alone."""
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
        if ours and importlib.util.find_spec(name) is None:
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
) -> Iterator[list[Logger]]:
    """Lightning loggers that know the run's folder, name and configuration.

    What they leave on disk goes to the run's folder. A resumed run goes on with what it began,
    whose identities are kept in `loggers.json`. Whatever happens, they are finished at the end.

    Raises:
        UserError: one of them cannot begin, as where nobody has logged in.
    """
    began = identities(run.read_json("loggers"))
    loggers = {name: _logger(name, node, run, began.get(name)) for name, node in nodes.items()}
    try:
        if loggers and first_rank():
            for name, logger in loggers.items():
                _begin(name, logger, nodes[name], config)
            found = {name: _identity(logger) for name, logger in loggers.items()}
            run.write_json("loggers", {name: one for name, one in found.items() if one})
        yield list(loggers.values())
    finally:
        for logger in loggers.values():
            with suppress(Exception):  # one that could not begin
                experiment: Any = logger.experiment  # type: ignore[attr-defined]
                getattr(experiment, "finish", lambda: None)()


def _begin(name: str, logger: Logger, node: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    try:
        logger.log_hyperparams(dict(config))
    except Exception as error:  # whatever a network or a server makes it raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        offline = f"; or pass logger.{name}.offline=true" if "offline" in node else ""
        raise UserError(f"logger={name} cannot begin: {reason}{offline}") from error


def _logger(name: str, node: Mapping[str, Any], run: RunFolder, identity: str | None) -> Logger:
    path, name_of_run = str(run.path), run.path.name
    known: dict[str, Any] = {"save_dir": path, "run_name": name_of_run, "name": name_of_run}
    known |= dict.fromkeys(IDENTITIES, identity)
    takes = parameters(located(node["_target_"]))
    fill = {k: v for k, v in known.items() if k in takes and node.get(k) is None and v}
    with user_errors(f"logger={name}"):
        return instantiated({**node, **fill}, f"logger.{name}")


def _identity(logger: Any) -> str | None:
    return getattr(logger, "run_id", None) or getattr(logger.experiment, "id", None)


def show_file(loggers: Sequence[Logger], name: str, path: Path, step: int) -> None:
    """Show a figure on every dashboard that can; moving ones where videos can be shown."""
    for logger in loggers:
        experiment: Any = getattr(logger, "experiment", None)
        moving = path.suffix == ".gif"
        if moving and hasattr(logger, "log_video"):
            logger.log_video(name, [str(path)], step, format=["gif"])
        elif not moving and hasattr(logger, "log_image"):
            logger.log_image(name, [str(path)], step)
        elif not moving and hasattr(experiment, "add_image"):
            import numpy as np
            from PIL import Image

            pixels = np.asarray(Image.open(path).convert("RGB"))
            experiment.add_image(name, pixels, step, dataformats="HWC")
        elif hasattr(experiment, "log_artifact"):
            experiment.log_artifact(_identity(logger), str(path))


def show_results(
    loggers: Sequence[Logger],
    metrics: Mapping[str, Any],
    figures: Sequence[tuple[str, Path]],
    step: int,
) -> None:
    """Show the final numbers as `test/…`, and the figures."""
    numbers = {f"test/{name}": value for name, value in metrics["numbers"].items()}
    for logger in loggers:
        logger.log_metrics(numbers, step)
    for name, path in figures:
        show_file(loggers, name, path, step)
