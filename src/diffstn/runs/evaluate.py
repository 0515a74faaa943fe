"""Numbers of a trained run."""

from collections.abc import Sequence
from typing import Any

import torch

from diffstn.build import build_data, build_task, load_model
from diffstn.data.kinds import check_needs
from diffstn.hardware import choose_hardware
from diffstn.ranks import joined
from diffstn.store.checkpoints import evaluated_checkpoint
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
    hardware = choose_hardware(config["trainer"]["accelerator"], config["trainer"]["precision"])
    check_needs(config)
    data, task = build_data(config), build_task(config)
    chosen = {key: settings[key] for key in ("checkpoint", "weights") if settings[key]}
    chosen.setdefault("checkpoint", evaluated_checkpoint(run, config))
    model: Any = load_model(
        run, config=config, facts=data.facts, trust=settings["trust"], **chosen
    ).to(hardware.device)
    task.check(model, data)
    with joined(hardware.device), torch.inference_mode(), hardware.autocast():
        metrics = task.measure(model, data, seed=settings["seed"])
    if not first_rank():
        return metrics
    metrics["protocol"] = {
        **protocol(config, metrics, hardware),
        **chosen,
        "latent_seed": settings["seed"],
        "overrides": list(words),
    }
    own = f"evaluations/{run.path.name}" if run.is_shipped else run.path / "evaluations"
    folder = RunFolder(settings["out"] or own)
    path = folder.write_new_json(metrics)
    print(f"\n{task.table(metrics)}\n\nwrote {path}")
    return metrics
