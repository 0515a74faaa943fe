"""sample.py: images of a trained run."""

from pathlib import Path
from typing import Any

from diffstn.build.hardware import choose_hardware
from diffstn.errors import UserError
from diffstn.runs.assembly import Assembly
from diffstn.runs.images import draw_run
from diffstn.store.run_folder import PRETRAINED, RunFolder, new_folder


def sample_run(run: RunFolder, settings: dict[str, Any], config: dict[str, Any]) -> list[Path]:
    """Draw pages and animations of `run` and say where they are."""
    hardware = choose_hardware(**settings["accelerator"])
    assembly = Assembly.from_run(run, settings["checkpoint"], settings["weights"], config)
    per_class = settings["per_class"]
    if per_class and assembly.data.kind in ("points", "clouds"):
        raise UserError("per_class is for pages of images, and this run draws points")
    shipped = PRETRAINED in run.path.parents
    parent = f"samples/{run.path.name}" if shipped else run.path / "samples"
    folder = Path(settings["out"] or new_folder(parent))
    drawn = draw_run(assembly, hardware, folder, run.metrics_csv, per_class, settings["seed"])
    for _, path in drawn:
        print(f"wrote {path}")
    return [path for _, path in drawn]
