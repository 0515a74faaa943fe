"""`diffstn correct FOLDER`: the images of a folder, turned upright."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffstn.cli.refusals import Outcome
from diffstn.errors import UserError

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
        correct_folder(folder, **settings)
    return outcome.code


def _read(arguments: Sequence[str]) -> tuple[Path, dict[str, Any]]:
    from diffstn.words import closest

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


def correct_folder(
    folder: Path, out: str | None, run: str, hypotheses: int, seed: int, batch_size: int
) -> Path:
    """Correct the images below `folder`; return where they went.

    Raises:
        UserError: there is nothing to correct, or the place is taken.
    """
    target = Path(out) if out else folder.with_name(f"{folder.name}-corrected")
    if target.exists() and any(target.iterdir()):
        raise UserError(f"{target} is not empty: choose another out=")
    from diffstn.data.sources.image_folder import images_in, read_image

    paths = images_in(folder)
    if not paths:
        raise UserError(f"{folder} holds no images")
    import torch
    from PIL import Image
    from tqdm import tqdm

    from diffstn.build import load_model

    model: Any = load_model(run)
    if not hasattr(model, "correct"):
        raise UserError(f"run={run} does not correct images; use a run of model=diff_in_stn")
    facts = model.facts
    rows = []
    with tqdm(total=len(paths), desc="correcting", unit="image", disable=None) as bar:
        for first in range(0, len(paths), batch_size):
            some, images = [], []
            for path in paths[first : first + batch_size]:
                try:
                    images.append(read_image(path, facts.canvas, facts.channels))
                    some.append(path)
                except ValueError as error:
                    print(f"left out {path}: {error}", file=sys.stderr)
            if not some:
                continue
            found = model.correct(torch.stack(images), hypotheses, seed)
            sure, label = found.probabilities.max(dim=-1)
            for i, path in enumerate(some):
                to = (target / path.relative_to(folder)).with_suffix(".png")
                to.parent.mkdir(parents=True, exist_ok=True)
                pixels = found.images[i]
                pixels = pixels[0] if len(pixels) == 1 else pixels.permute(1, 2, 0)
                Image.fromarray(pixels.cpu().numpy()).save(to)
                pose = getattr(found, "A", None)
                numbers = [] if pose is None else [f"{v:.4f}" for v in pose[i].tolist()]
                rows.append([path, facts.classes[int(label[i])], f"{float(sure[i]):.4f}", *numbers])
            bar.update(len(some))
    if not rows:
        raise UserError(f"no image below {folder} can be read")
    with (target / "corrections.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["image", "read as", "probability", *(f"A{i}" for i in range(len(rows[0]) - 3))]
        )
        writer.writerows(rows)
    print(f"wrote {len(rows)} images and corrections.csv to {target}")
    return target
