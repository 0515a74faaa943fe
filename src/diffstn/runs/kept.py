"""A model that has nothing to learn, as a run that can be opened again."""

from collections.abc import Sequence
from typing import Any

import yaml

from diffstn.build import Built
from diffstn.store.run_folder import RunFolder
from diffstn.store.self_contained import self_contained
from diffstn.store.whole_files import WholeFiles


def keep(
    run: RunFolder,
    built: Built,
    config: dict[str, Any],
    metrics: dict[str, Any],
    words: Sequence[str] = (),
) -> None:
    """Write what `diffstn.load`, `correct` and `evaluate.py run=` read of a run.

    The weights are those of the runs that the model is made of; their folders are not looked for
    again. There is no moving average of what does not move.

    Args:
        run: a folder that holds none yet, see `RunFolder.claim`.
        config: of which the model was built.
        metrics: what was measured of it.
        words: the overrides that made the configuration.
    """
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    state = {"state_dict": built.model.state_dict()}
    WholeFiles().save_checkpoint(state, run.checkpoints / "last.ckpt")
    own = {**self_contained(config), "ema_decay": 0.0}
    run.write("config.yaml", yaml.safe_dump(own, sort_keys=False))
    run.write_json("facts", built.data.facts.plain())
    run.write_json("metrics", metrics)
    run.write_overrides(words)
    run.status("done", **metrics.get("numbers", {}))
