"""The callbacks that a configuration and a model ask for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from diffstn.annotations import parameters
from diffstn.build.instantiated import instantiated
from diffstn.callbacks.best_weights import BestWeights
from diffstn.located import located


def keeps_best(model: pl.LightningModule, folder: Path) -> BestWeights | None:
    """Keeps the weights of the best value of the model's `monitor`, (name, "max" or "min")."""
    if (monitor := getattr(model, "monitor", None)) is None:
        return None
    return BestWeights(
        folder,
        "best",
        monitor=monitor[0],
        mode=monitor[1],
        enable_version_counter=False,
    )


def users_callbacks(
    nodes: Mapping[str, Any], folder: Path, model: pl.LightningModule
) -> list[pl.Callback]:
    """The callbacks of a configuration.

    Of what they leave open, a folder for checkpoints is `folder`, and the number to monitor the
    model's.
    """
    name, mode = getattr(model, "monitor", (None, None))
    known = {"dirpath": str(folder), "monitor": name, "mode": mode}
    made = []
    for key, node in nodes.items():
        takes = parameters(located(node["_target_"]))
        fill = {k: v for k, v in known.items() if k in takes and node.get(k) is None and v}
        made.append(instantiated({**node, **fill}, f"callbacks.{key}"))
    return made
