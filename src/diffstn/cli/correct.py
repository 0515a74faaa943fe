"""`diffstn correct FOLDER`: the images of a folder, turned upright."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffstn.cli.refusals import Outcome
from diffstn.errors import UserError
from diffstn.words import closest

HELP = """diffstn correct FOLDER [out=FOLDER] [run=RUN] [hypotheses=K] [seed=N] [batch_size=N]

Turns every image below FOLDER upright and writes it to out (by default FOLDER-corrected), as PNG of
the model's size, beside corrections.csv: what the classifier reads, how sure it is, and the pose
(a b t_x c d t_y) that was undone.

  run         folder of a run that corrects, or pretrained/diff_in_stn_full (default)
  hypotheses  poses to sample for each image, of which the best is taken (default: 16)
  seed        of the poses (default: 0)
  batch_size  images at once (default: 64)
"""
DEFAULTS: dict[str, Any] = {
    "out": None,
    "run": "pretrained/diff_in_stn_full",
    "hypotheses": 16,
    "seed": 0,
    "batch_size": 64,
}


def correct_command(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or {"-h", "--help"} & set(arguments):
        print(HELP)
        return 0
    with Outcome("debug=true" in arguments) as outcome:
        folder, settings = _read(arguments)
        from diffstn.tasks.correct_folder import correct_folder

        correct_folder(folder, **settings)
    return outcome.code


def _read(arguments: Sequence[str]) -> tuple[Path, dict[str, Any]]:
    settings, folders = dict(DEFAULTS), []
    for word in arguments:
        name, sign, value = word.partition("=")
        if not sign:
            folders.append(Path(word))
        elif name in DEFAULTS:
            number = isinstance(DEFAULTS[name], int)
            if number and not value.isdecimal():
                raise UserError(f"{word}: must be a whole number")
            settings[name] = int(value) if number else value
        elif name != "debug":
            raise UserError(f"no setting '{name}'; {closest(name, list(DEFAULTS))}")
    if len(folders) != 1 or not folders[0].is_dir():
        raise UserError(f"which folder? {' '.join(map(str, folders)) or 'none'} is no one folder")
    for name in ("hypotheses", "batch_size"):
        if settings[name] < 1:
            raise UserError(f"{name}={settings[name]}: must be at least 1")
    return folders[0], settings
