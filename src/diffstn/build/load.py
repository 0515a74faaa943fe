"""From a run folder to its trained model."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl

from diffstn.build.model import build_data, build_model, needed
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.store.bounded import no_larger_than
from diffstn.store.checkpoints import trained_weights
from diffstn.store.run_folder import RunFolder, open_run
from diffstn.store.trust import check_targets


def load_model(
    run: RunFolder | str,
    *,
    checkpoint: str | None = None,
    weights: str | None = None,
    config: Mapping[str, Any] | None = None,
    facts: Facts | None = None,
    trust: Sequence[str] | None = (),
) -> pl.LightningModule:
    """The model of a run with its trained weights, in evaluation mode, on the CPU.

    Args:
        run: its folder, or `pretrained/NAME` for one that ships with the package.
        checkpoint: `best` or `last`; None as the run says.
        weights: `ema` or `raw`; None as the run says.
        config: the run's configuration with overrides; None as it was.
        facts: of the data, where they are at hand; None as the run kept them.
        trust: packages besides ours whose classes the run may ask for; None: all, for a run of
            one's own.

    Raises:
        UserError: there is no such run, a file is missing, a package is not trusted, or the weights
            do not fit the overrides.
    """
    run = open_run(run) if isinstance(run, str) else run
    config = config or run.read_config()
    if trust is not None:
        check_targets(config["model"], trust)  # `needed` imports its class
        check_targets(needed(config), trust)
    if facts is None:
        facts = run.facts or getattr(build_data(config), "facts", None)
    with no_larger_than(run.path):
        model = build_model(config, facts)
    state = trained_weights(run, checkpoint, weights, config)
    for name, module in model.named_modules():
        if getattr(module, "brought_weights", False):
            mine = f"{name}."
            state = {k: v for k, v in state.items() if not k.startswith(mine)}
            state |= {k: v for k, v in model.state_dict().items() if k.startswith(mine)}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(
            f"the weights of {run.path} do not fit its configuration with these overrides"
            f" ({str(error).splitlines()[-1].strip()})"
        ) from error
    return model.eval()
