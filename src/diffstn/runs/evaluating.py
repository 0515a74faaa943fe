"""evaluate.py: numbers of a trained run."""

import time
from typing import Any

from diffstn.runs.assembly import Assembly
from diffstn.runs.evaluation import evaluate
from diffstn.runs.folder import PRETRAINED, RunFolder
from diffstn.runs.hardware import choose_hardware
from diffstn.runs.tables import result_table
from diffstn.runs.training import protocol


def evaluate_run(
    run: RunFolder, settings: dict[str, Any], config: dict[str, Any]
) -> dict[str, Any]:
    """Evaluate `run`, print the table and write it with its protocol."""
    hardware = choose_hardware(**settings["accelerator"])
    assembly = Assembly.from_run(run, settings["checkpoint"], settings["weights"], config)
    hypotheses = settings["hypotheses"] or [
        config["sampler"]["hypotheses"],
        *config["evaluate"]["hypotheses"],
    ]
    metrics = evaluate(
        assembly.model,
        assembly.data,
        hardware,
        split=settings["split"],
        hypotheses=hypotheses if isinstance(hypotheses, list) else [hypotheses],
        seed=settings["seed"],
        limit=settings["limit"],
        batch_size=settings["batch_size"],
        samples=settings["samples"] or config["evaluate"].get("samples"),
        distance=settings["distance"] or config["evaluate"].get("distance", "chamfer"),
    )
    metrics["protocol"] = {
        **protocol(config, metrics, hardware, settings["split"]),
        **{key: settings[key] for key in ("checkpoint", "weights") if settings[key]},
        "latent_seed": settings["seed"],
        "overrides": settings["overrides"],
    }
    shipped = PRETRAINED in run.path.parents
    folder = RunFolder(
        settings["out"] or (f"evaluations/{run.path.name}" if shipped else run.path / "evaluations")
    )
    path = folder.write_json(time.strftime("%Y-%m-%d_%H-%M-%S"), metrics)
    print(f"\n{result_table(metrics)}\n\nwrote {path}")
    return metrics
