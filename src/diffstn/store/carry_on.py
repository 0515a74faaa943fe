"""From where a run goes on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from diffstn.errors import UserError
from diffstn.store.bounded import read_checkpoint, reason, state_of
from diffstn.store.run_folder import RunFolder
from diffstn.store.whole_files import FIRST, is_whole, newest_whole


def carry_on(
    run: RunFolder, config: Mapping[str, Any], model: nn.Module
) -> tuple[Path | None, str]:
    """The checkpoint that a resumed run goes on from, and a line to say.

    It is `last.ckpt`; if that is damaged or missing, the one before, or the best. A run that was
    stopped before its first checkpoint begins again.

    Raises:
        UserError: no checkpoint is whole, it is of another model, or the run has trained longer
            than it is asked to.
    """
    path, said = newest_whole(run.checkpoints, "last")
    if path is None:
        begin_again(run, model)
        return None, "no checkpoint was written yet: the training begins again"
    try:
        content = read_checkpoint(path)
        theirs = {name: value.shape for name, value in state_of(content).items()}
        if "ema_state_dict" in content:
            state_of(content, "ema_state_dict")
        epochs = int(content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
        steps = int(content["global_step"])
        if min(epochs, steps) < 0 or not content["optimizer_states"]:
            raise ValueError("it has no state of an optimiser")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no checkpoint of a training ({reason(error)})") from None
    if theirs != {name: value.shape for name, value in model.state_dict().items()}:
        raise UserError(f"{path} holds the weights of another model than {run.config} says")
    settings = config["trainer"]
    by_epochs = settings["max_steps"] < 0
    if by_epochs and 0 <= (settings["max_epochs"] or epochs) < epochs:
        raise UserError(
            f"{run.path} has trained for {epochs} epochs; pass epochs={epochs + 1} or more"
        )
    if not by_epochs and settings["max_steps"] < steps:
        raise UserError(
            f"{run.path} has trained for {steps} steps; pass trainer.max_steps={steps + 1} or more"
        )
    return path, said


def begin_again(run: RunFolder, model: nn.Module) -> None:
    """Give the model the weights that the training began with, those of other runs among them.

    Raises:
        UserError: they are not there, or of another model.
    """
    path = run.checkpoints / FIRST
    if not is_whole(path):
        raise UserError(f"{run.checkpoints} holds no whole checkpoint; start a new run")
    try:
        model.load_state_dict(state_of(read_checkpoint(path)))
    except (RuntimeError, ValueError):
        raise UserError(f"{path} holds weights of another model than {run.config} says") from None
