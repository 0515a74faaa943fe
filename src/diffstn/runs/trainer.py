"""Lightning's Trainer, as a configuration asks for it."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl

from diffstn.annotations import parameters
from diffstn.build import instantiated, user_errors
from diffstn.callbacks.best_weights import BestWeights
from diffstn.callbacks.configured import keeps_best, users_callbacks
from diffstn.callbacks.dashboards import watching_boards
from diffstn.callbacks.ema import EMA
from diffstn.callbacks.ended_epochs import EndedEpochs
from diffstn.callbacks.last_checkpoint import LastCheckpoint
from diffstn.callbacks.last_validation import LastValidation
from diffstn.callbacks.metrics_csv import MetricsCSV
from diffstn.callbacks.non_finite import StopOnNonFiniteLoss
from diffstn.callbacks.progress import Progress
from diffstn.callbacks.reseed import ReseedEachEpoch
from diffstn.errors import UserError
from diffstn.hardware import Hardware
from diffstn.store.run_folder import RunFolder
from diffstn.store.stopping import Stopping, seconds
from diffstn.store.whole_files import WholeFiles
from diffstn.words import closest

OURS = ("callbacks", "logger", "default_root_dir", "enable_progress_bar", "enable_checkpointing")
"""Arguments of the Trainer that groups and settings of their own decide."""
LEAST = {"max_steps": -1, "accumulate_grad_batches": 1, "log_every_n_steps": 0, "num_nodes": 1}

STRATEGIES = ("auto", "ddp", "ddp_find_unused_parameters_true", "ddp_find_unused_parameters_false")
"""Not those that split weights among processes, nor those that pickle what a run is made of."""


def check_trainer(config: Mapping[str, Any]) -> None:
    """Refuse arguments that the Trainer does not have, and a last epoch without validation.

    Raises:
        UserError: one line, with the remedy.
    """
    settings = config["trainer"]
    known = [name for name in parameters(pl.Trainer) if name not in OURS]
    for name in settings:
        if name not in known:
            raise UserError(f"no setting 'trainer.{name}'; {closest(name, known)}")
    seconds(settings["max_time"])
    for name, least in LEAST.items():
        if settings.get(name) is not None and settings[name] < least:
            raise UserError(f"trainer.{name}={settings[name]}: must be at least {least}")
    if settings["max_steps"] == 0:
        raise UserError("trainer.max_steps=0 trains nothing; pass 1 or more, or -1 for epochs=")
    devices, most = settings["devices"], 8 * (os.cpu_count() or 1)
    if isinstance(devices, int) and (devices == 0 or devices > most):
        raise UserError(
            f"trainer.devices={devices}: choose 1 to {most} on this machine, or -1 for all its GPUs"
        )
    strategy = settings["strategy"]
    if isinstance(strategy, str) and strategy not in STRATEGIES:
        raise UserError(
            f"trainer.strategy={strategy}: choose {', '.join(STRATEGIES)}; averages of the weights"
            " and exact checkpoints need all weights in every process"
        )
    every, epochs = settings["check_val_every_n_epoch"], settings["max_epochs"]
    ends = by_epochs(settings) and config.get("minutes") is None
    if ends and every and epochs and epochs % min(every, epochs):
        raise UserError(
            f"validate_every={every} must divide epochs={epochs}, for the last epoch to be"
            " validated"
        )


def check_optimisation(model: pl.LightningModule, data: Any, settings: Mapping[str, Any]) -> None:
    """Refuse settings with which the model cannot learn.

    Raises:
        UserError: one line, with the remedy.
    """
    getattr(model, "check_optimisation", lambda data: None)(data)
    for name, idle in {"gradient_clip_val": 0, "accumulate_grad_batches": 1}.items():
        if not model.automatic_optimization and settings.get(name) not in (None, idle):
            raise UserError(
                f"trainer.{name}={settings[name]}: {type(model).__name__} takes its steps by itself"
                f" and makes no use of this; trainer.{name}=null"
            )


def by_epochs(settings: Mapping[str, Any]) -> bool:
    """Whether epochs end the training: `max_steps`, where given, does instead."""
    return bool(settings["max_steps"] < 0)


def trainer_for(
    config: Mapping[str, Any],
    hardware: Hardware,
    run: RunFolder,
    model: pl.LightningModule,
    stopping: Stopping,
    watching: Sequence[pl.Callback] = (),
    boards: Sequence[Any] = (),
) -> tuple[pl.Trainer, MetricsCSV, BestWeights | None]:
    """The Trainer, the record that its callbacks keep and the callback that keeps the best.

    Raises:
        UserError: Lightning or a callback refuses its settings.
    """
    settings = {k: instantiated(v, f"trainer.{k}") for k, v in config["trainer"].items()}
    arguments = {k: v for k, v in settings.items() if v is not None and k != "max_time"}
    if not by_epochs(settings):
        arguments["max_epochs"] = -1
    elif settings["check_val_every_n_epoch"]:
        every = settings["check_val_every_n_epoch"]
        arguments["check_val_every_n_epoch"] = min(every, settings["max_epochs"])
    record = MetricsCSV(run.metrics_csv)
    best = keeps_best(model, run.checkpoints)
    ours: list[pl.Callback] = [EndedEpochs(), ReseedEachEpoch(config["seed"])]
    ours.append(StopOnNonFiniteLoss())
    if config["ema_decay"]:
        ours.append(EMA(config["ema_decay"]))
    ours += [*watching, *watching_boards(boards, watching), LastValidation(), record, Progress()]
    ours += [] if best is None else [best]
    ours += users_callbacks(config.get("callbacks") or {}, run.checkpoints, model)
    every = config["checkpoint"]["minutes"]
    last = LastCheckpoint(run.checkpoints / "last.ckpt", every, stopping)
    with user_errors("trainer"):
        trainer = pl.Trainer(
            **{
                **arguments,
                "accelerator": hardware.accelerator,
                "precision": hardware.precision,
                "logger": [board.logger for board in boards] or False,
                "callbacks": [*ours, last],
                "plugins": [*plugins(settings.get("plugins")), WholeFiles()],
                "enable_progress_bar": False,
                "default_root_dir": run.path,
            }
        )
    return trainer, record, best


def plugins(given: Any) -> list[Any]:
    """Lightning takes one plugin or a list of them."""
    return list(given) if isinstance(given, list | tuple) else [] if given is None else [given]
