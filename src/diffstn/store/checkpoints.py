"""The weights of a run."""

import logging
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from diffstn.errors import UserError
from diffstn.store.bounded import check_finite, read_checkpoint, read_safetensors, state_of
from diffstn.store.run_folder import RunFolder
from diffstn.store.whole_files import is_kept, newest_whole

log = logging.getLogger("diffstn")


def evaluated_weights(config: Mapping[str, Any]) -> str:
    """`evaluate.weights`, or `raw` where there is no moving average."""
    return config["evaluate"]["weights"] if config["ema_decay"] else "raw"


def evaluated_checkpoint(run: RunFolder, config: Mapping[str, Any]) -> str:
    """`evaluate.checkpoint`, or `last` where no validation chose a best one."""
    chosen = config["evaluate"]["checkpoint"]
    kept = is_kept(run.checkpoints, chosen) or not is_kept(run.checkpoints, "last")
    return chosen if kept else "last"


def trained_weights(
    run: RunFolder,
    checkpoint: str | None = None,
    weights: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> dict[str, Tensor]:
    """The state of a run's model.

    Args:
        run: folder of a run, or one shipped with the package.
        checkpoint: `best` or `last`, None as `config` says, or the last where no validation chose a
            best one, which is what the training itself measured; a shipped run has one only.
        weights: `ema` or `raw`, None as `config` says.
        config: the run's configuration with overrides; None as it was.

    Raises:
        UserError: a file is missing, or the run kept no such weights.
    """
    own = run.read_config()
    config = config or own
    checkpoint = checkpoint or evaluated_checkpoint(run, config)
    weights = weights or evaluated_weights(config)
    shipped = run.path / "weights.safetensors"
    if shipped.exists():
        there_is = {
            "checkpoint": evaluated_checkpoint(run, own),
            "weights": evaluated_weights(own),
        }
        for name, asked in (("checkpoint", checkpoint), ("weights", weights)):
            if asked != there_is[name]:
                raise UserError(f"{name}={asked}: this run ships with {there_is[name]} alone")
        try:
            state = read_safetensors(shipped)
        except ValueError as error:
            raise UserError(f"{shipped} is damaged ({error}): fetch it again") from None
        check_finite(state, shipped)
        return state
    path = run.checkpoints / f"{checkpoint}.ckpt"
    if not is_kept(run.checkpoints, checkpoint):
        there = ", ".join(p.stem for p in sorted(run.checkpoints.glob("*.ckpt"))) or "none"
        raise UserError(f"{path} does not exist; checkpoint= can be: {there}")
    if weights not in ("ema", "raw"):
        raise UserError(f"weights={weights}: choose ema or raw")
    whole, said = newest_whole(run.checkpoints, checkpoint)
    assert whole is not None  # it is there
    if said:
        log.warning(said)
    key = "ema_state_dict" if weights == "ema" else "state_dict"
    try:
        content = read_checkpoint(whole)
        if key not in content and "state_dict" in content:
            raise UserError(f"{path} was trained without a moving average; pass weights=raw")
        state = state_of(content, key)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{whole} is no checkpoint of a training ({error})") from None
    check_finite(state, whole)
    return state
