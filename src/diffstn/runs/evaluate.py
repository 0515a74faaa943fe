"""Numbers of a trained run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from diffstn.build import Built, build_data, build_task, load_model, untrained
from diffstn.data.kinds import check_needs
from diffstn.hardware import choose_hardware
from diffstn.ranks import joined
from diffstn.store.checkpoints import evaluated_checkpoint
from diffstn.store.kept import keeping
from diffstn.store.protocol import protocol
from diffstn.store.run_folder import RunFolder, first_rank


def evaluate(
    run: RunFolder, settings: dict[str, Any], config: dict[str, Any], words: Sequence[str] = ()
) -> dict[str, Any]:
    """Measure `run`, print the tables and write the numbers with their protocol.

    Args:
        settings: see conf/evaluate.yaml.
        config: the run's configuration, with the overrides `words`.
    """
    check_needs(config)
    data, task = build_data(config), build_task(config)
    chosen = {key: settings[key] for key in ("checkpoint", "weights") if settings[key]}
    chosen.setdefault("checkpoint", evaluated_checkpoint(run, config))
    model = load_model(run, config=config, facts=data.facts, trust=settings["trust"], **chosen)
    own = f"evaluations/{run.path.name}" if run.is_shipped else run.path / "evaluations"
    facts = {**chosen, "overrides": list(words)}
    return _measured(Built(model, data, task), settings, config, facts, own)


def evaluate_untrained(
    settings: dict[str, Any], config: dict[str, Any], words: Sequence[str] = ()
) -> dict[str, Any]:
    """The same for a model that has nothing to learn; any other is refused (`UserError`)."""
    own = f"evaluations/{config['choices']['model']}"
    return _measured(untrained(config), settings, config, {"overrides": list(words)}, own)


def _measured(
    built: Built, settings: dict[str, Any], config: dict[str, Any], facts: Any, own: str | Path
) -> dict[str, Any]:
    keep = keeping(settings["keep"], trained="checkpoint" in facts)
    hardware = choose_hardware(config["trainer"]["accelerator"], config["trainer"]["precision"])
    model, data, task = built.model.to(hardware.device).eval(), built.data, built.task
    task.check(model, data)
    with joined(hardware.device), torch.inference_mode(), hardware.autocast():
        metrics = task.measure(model, data, seed=settings["seed"])
    if not first_rank():
        return metrics
    known = {**protocol(config, metrics, hardware), **facts, "latent_seed": settings["seed"]}
    metrics["protocol"] = known
    path = RunFolder(settings["out"] or own).write_new_json(metrics)
    print(f"\n{task.table(metrics)}\n\nwrote {path}")
    keep(model, data, config, metrics)
    return metrics
