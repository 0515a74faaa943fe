"""A model that has nothing to learn, as a run that can be opened again."""

from collections.abc import Callable
from typing import Any

import yaml

from diffstn.errors import UserError
from diffstn.store.run_folder import RunFolder, first_rank
from diffstn.store.self_contained import self_contained
from diffstn.store.whole_files import WholeFiles

Keep = Callable[[Any, Any, dict[str, Any], dict[str, Any]], None]
"""Given the model, its data module, its configuration and what was measured."""


def keeping(path: str | None, trained: bool) -> Keep:
    """What keeps a model in the folder `path`; it does nothing if that is None.

    Written is what `diffstn.load`, `correct` and `evaluate.py run=` read of a run. The weights are
    those of the runs that the model is made of, whose folders are not looked for again. There is no
    moving average of what does not move.

    Raises:
        UserError: there is something in the folder, or the model is a run's already (`trained`).
    """
    if path is None:
        return lambda *told: None
    if trained:
        raise UserError(
            f"keep={path} is for a model that has nothing to learn, named by model=; this one lies"
            " in its run"
        )
    run = RunFolder(path)
    try:
        if first_rank():
            run.claim(resume=False)
    except UserError:
        raise UserError(f"keep={path}: no place for a new run; choose another folder") from None

    def keep(model: Any, data: Any, config: dict[str, Any], metrics: dict[str, Any]) -> None:
        run.checkpoints.mkdir(parents=True, exist_ok=True)
        state = {"state_dict": model.state_dict()}
        WholeFiles().save_checkpoint(state, run.checkpoints / "last.ckpt")
        own = {**self_contained(config), "ema_decay": 0.0}
        run.write("config.yaml", yaml.safe_dump(own, sort_keys=False))
        run.write_json("facts", data.facts.plain())
        run.write_json("metrics", metrics)
        run.write_overrides(metrics["protocol"]["overrides"])
        run.status("done", **metrics.get("numbers", {}))
        print(f"kept as {run.path}")

    return keep
