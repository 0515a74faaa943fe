"""evaluate.py: numbers of a trained run."""

import time
from collections.abc import Mapping
from typing import Any

from diffstn.build.hardware import choose_hardware
from diffstn.errors import UserError
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.runs.assembly import Assembly
from diffstn.runs.evaluation import evaluate
from diffstn.runs.tables import result_table
from diffstn.runs.training import protocol
from diffstn.store.run_folder import PRETRAINED, RunFolder

OF_PICTURES = ("features", "inception_weights", "likelihood")
IDLE = {
    "points": ("split", "distance", "hypotheses", "limit", *OF_PICTURES),
    "clouds": ("hypotheses", "limit", *OF_PICTURES),
    "upright": ("distance", "hypotheses", "limit"),
    "images": ("samples", "distance", *OF_PICTURES),
}
"""What evaluating a model of each kind of data does not look at."""

WHY = {
    "points": "samples are compared with fresh ones, by every distance",
    "clouds": "as many clouds are drawn as samples= says",
    "upright": "images are drawn, and compared with those of train and test",
    "images": "every image of the split is answered; pass limit= for fewer",
}


def check_evaluation(model: Any, data: Any, settings: Mapping[str, Any]) -> None:
    """Refuse settings that would have no effect, and more samples than there are references.

    Raises:
        UserError: one line, with the remedy.
    """
    kind = data.kind if isinstance(model, DiffusionModel) else "images"
    for name in IDLE[kind]:
        if settings[name] not in (None, "test"):
            of = "images" if kind == "upright" else kind
            raise UserError(
                f"{name}={settings[name]} has no effect on a model of {of}: {WHY[kind]}"
            )
    if kind == "upright" and settings["split"] != "test" and not settings["likelihood"]:
        raise UserError(
            f"split={settings['split']} says of which images to bound the likelihood: pass"
            " likelihood=<how many>, too"
        )
    if kind == "clouds" and settings["samples"]:
        held_out = len(data.split(settings["split"]).labels)
        if settings["samples"] > held_out:
            raise UserError(
                f"samples={settings['samples']}: the {settings['split']} split has only"
                f" {held_out} clouds to compare with; ask for at most as many, or hold out more"
                f" (data.{settings['split']}=)"
            )


def evaluate_run(
    run: RunFolder, settings: dict[str, Any], config: dict[str, Any]
) -> dict[str, Any]:
    """Evaluate `run`, print the table and write it with its protocol."""
    hardware = choose_hardware(**settings["accelerator"])
    assembly = Assembly.from_run(run, settings["checkpoint"], settings["weights"], config)
    check_evaluation(assembly.model, assembly.data, settings)
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
        features=settings["features"] or config["evaluate"].get("features"),
        inception_weights=settings["inception_weights"]
        or config["evaluate"].get("inception_weights"),
        likelihood=settings["likelihood"] or config["evaluate"].get("likelihood", 0),
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
