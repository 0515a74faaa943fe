"""sample.py: pictures of a trained run."""

from pathlib import Path
from typing import Any

from diffstn.errors import UserError
from diffstn.runs.assembly import Assembly
from diffstn.runs.folder import PRETRAINED, RunFolder, new_folder
from diffstn.runs.hardware import choose_hardware
from diffstn.runs.pictures import draw_run


def sample_run(run: RunFolder, settings: dict[str, Any], config: dict[str, Any]) -> list[Path]:
    """Draw pages and animations of `run` and say where they are."""
    hardware = choose_hardware(**settings["accelerator"])
    assembly = Assembly.from_run(run, settings["checkpoint"], settings["weights"], config)
    per_class = settings["per_class"]
    if per_class and assembly.data.kind in ("points", "clouds"):
        raise UserError("per_class is for pages of pictures, and this run draws points")
    shipped = PRETRAINED in run.path.parents
    parent = f"samples/{run.path.name}" if shipped else run.path / "samples"
    folder = Path(settings["out"] or new_folder(parent))
    drawn = draw_run(assembly, hardware, folder, run.metrics_csv, per_class, settings["seed"])
    for _, path in drawn:
        print(f"wrote {path}")
    return [path for _, path in drawn]
