"""The images of a folder, turned upright."""

import csv
import inspect
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tqdm import tqdm

from diffstn.build import load_model
from diffstn.data.sources.image_folder import images_in, read_image
from diffstn.errors import UserError
from diffstn.models.given import bright_borders
from diffstn.words import typed

HELP = """diffstn correct FOLDER [out=FOLDER] [run=RUN] [hypotheses=K] [seed=N] [batch_size=N]
                       [invert=true]

Turns every image below FOLDER upright and writes it to out (by default FOLDER-corrected), as PNG of
the model's size, beside corrections.csv, a row for each: what the classifier reads, its probability
and how sure the corrector is of it (confidence), and what had been done to the content: degrees
clockwise, factors of width and height, shear, shift right and down in the image's own widths and
heights, and the same as the pose A.

  run         folder of a run that corrects, or pretrained/diff_in_stn_full (default)
  hypotheses  poses to sample for each image, of which the best is taken (default: 16)
  seed        of the poses (default: 0)
  batch_size  images at once (default: 64)
  invert      true if the images are dark on white, as models know light on black (default: false)
"""
DEFAULTS: dict[str, Any] = {
    "out": None,
    "run": "pretrained/diff_in_stn_full",
    "hypotheses": 16,
    "seed": 0,
    "batch_size": 64,
    "invert": False,
}


def correct_folder(words: Sequence[str]) -> list[str]:
    """Correct the images below a folder; return what was written, in words.

    Args:
        words: the folder and settings, see `HELP`.

    Raises:
        UserError: bad input, nothing to correct, or the place is taken.
    """
    folder, settings = read(words)
    target = Path(settings["out"] or f"{os.path.abspath(folder)}-corrected")
    if target.exists() and any(target.iterdir()):
        raise UserError(f"{target} is not empty: choose another out=")
    paths = images_in(folder)
    if not paths:
        raise UserError(f"{folder} holds no images")
    model: Any = load_model(settings["run"])
    if not hasattr(model, "correct"):
        raise UserError(f"run={settings['run']} corrects no images; use a run of model=diff_in_stn")
    rows = []
    with tqdm(total=len(paths), desc="correcting", unit="image", disable=None) as bar:
        for first in range(0, len(paths), settings["batch_size"]):
            some = paths[first : first + settings["batch_size"]]
            rows += corrected(model, some, folder, target, settings)
            bar.update(len(some))
    if not rows:
        raise UserError(f"no image below {folder} can be read")
    with (target / "corrections.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return [f"{len(rows)} images and corrections.csv to {target}"]


def read(words: Sequence[str]) -> tuple[Path, dict[str, Any]]:
    """The folder and the settings."""
    settings, places = typed(words, DEFAULTS, from_nought=("seed",))
    folders = [Path(place) for place in places]
    if len(folders) != 1 or not folders[0].is_dir():
        said = " ".join(map(str, folders)) or "none"
        raise UserError(f"which folder? pass one that is there, not {said}")
    return folders[0], settings


def corrected(
    model: Any, paths: Sequence[Path], folder: Path, target: Path, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """Correct some images; return their rows of the table."""
    facts, images, there = model.facts, [], []
    for path in paths:
        try:
            images.append(read_image(path, facts.canvas, facts.channels))
            there.append(path)
        except ValueError as error:
            print(f"left out {path}: {error}", file=sys.stderr)
    if not there:
        return []
    takes = inspect.signature(model.correct).parameters
    asked = {name: settings[name] for name in ("hypotheses", "seed") if name in takes}
    seen = torch.stack(images)  # bytes
    seen = 255 - seen if settings["invert"] else seen
    dark_on_white = bright_borders(seen / 255) if facts.channels == 1 else [False] * len(there)
    for path in [p for p, bright in zip(there, dark_on_white, strict=True) if bright]:
        print(f"{path} has bright borders: if it is dark on white, invert=true", file=sys.stderr)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was said
        found = model.correct(seen, **asked)
    sure, label = found.probabilities.max(dim=-1)
    rows = []
    for i, path in enumerate(there):
        to = (target / path.relative_to(folder)).with_suffix(".png")
        to.parent.mkdir(parents=True, exist_ok=True)
        pixels = found.images[i]
        pixels = pixels[0] if len(pixels) == 1 else pixels.permute(1, 2, 0)
        Image.fromarray(pixels.cpu().numpy()).save(to)
        row = {"image": path, "read as": facts.classes[int(label[i])]}
        row["probability"] = f"{float(sure[i]):.4f}"
        if hasattr(found, "confidence"):
            row["confidence"] = f"{float(found.confidence[i]):.4f}"
        rows.append({**row, **pose(found, i)})
    return rows


def pose(found: Any, i: int) -> dict[str, str]:
    """What had been done to the i-th image, column by column; nothing where no pose was found."""
    if not hasattr(found, "pose"):
        return {}
    turn, scale, shear, shift = (value[i].tolist() for value in found.pose)
    height, width = found.placement.given
    columns = {
        **{"turn": turn, "scale x": scale[0], "scale y": scale[1], "shear": shear},
        **{"shift x": shift[0] / width, "shift y": shift[1] / height},
        **{f"A{j}": value for j, value in enumerate(found.A[i].tolist())},
    }
    return {name: f"{value:.4f}" for name, value in columns.items()}
