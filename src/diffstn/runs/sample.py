"""Figures and samples of a trained run."""

from pathlib import Path
from typing import Any

import torch

from diffstn.build import Built, build_data, build_task, load_model, untrained
from diffstn.data.kinds import check_needs
from diffstn.figures.curves import training_curves
from diffstn.hardware import choose_hardware
from diffstn.ranks import joined
from diffstn.store.run_folder import RunFolder, first_rank, new_folder
from diffstn.store.saved import sampled_in, saved


def sample(run: RunFolder, settings: dict[str, Any], config: dict[str, Any]) -> list[Path]:
    """Plot what `run` does, keep samples if asked to, and say where they are.

    Args:
        settings: see conf/sample.yaml.
        config: the run's configuration, with overrides.
    """
    check_needs(config)
    data, task = build_data(config), build_task(config)
    chosen = {key: settings[key] for key in ("checkpoint", "weights") if settings[key]}
    facts, trust = data.facts, settings["trust"]
    model = load_model(run, config=config, facts=facts, trust=trust, **chosen)
    parent = f"samples/{run.path.name}" if run.is_shipped else run.path / "samples"
    folder = sampled_in(Path(settings["out"] or new_folder(parent)), run.path.resolve())
    return _shown(Built(model, data, task), config, settings, folder, run.metrics_csv)


def sample_untrained(settings: dict[str, Any], config: dict[str, Any]) -> list[Path]:
    """The same for a model that has nothing to learn.

    Raises:
        UserError: it has.
    """
    built, name = untrained(config), config["choices"]["model"]
    folder = sampled_in(Path(settings["out"] or new_folder(f"samples/{name}")), f"model={name}")
    return _shown(built, config, settings, folder)


def _shown(
    built: Built,
    config: dict[str, Any],
    settings: dict[str, Any],
    folder: Path,
    metrics_csv: Path | None = None,
) -> list[Path]:
    hardware = choose_hardware(config["trainer"]["accelerator"], config["trainer"]["precision"])
    model, data, task = built.model.to(hardware.device).eval(), built.data, built.task
    task.check(model, data)
    written: list[Path] = []
    with torch.inference_mode(), hardware.autocast():
        items = None
        if settings["save"]:
            with joined(hardware.device):
                items = task.to_keep(model, data, settings["n"], settings["seed"])
        if not first_rank():
            return written
        if settings["figures"]:
            if metrics_csv is not None and metrics_csv.exists():
                written.append(training_curves(metrics_csv, folder / "curves.png"))
            plots = task.plot(model, data, folder, seed=settings["seed"])
            written += [path for _, path in plots]
        if items is not None:
            written.append(saved(items, folder, settings["save"]))
    for path in written:
        print(f"wrote {path}")
    if not written:
        print("nothing to show: this task draws no figures, and save= was not asked for")
    return written
