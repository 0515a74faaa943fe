"""The images of a folder, turned upright."""

import csv
import inspect
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from diffstn.build import load_model
from diffstn.data.sources.image_folder import images_in, read_image
from diffstn.errors import UserError
from diffstn.hardware import choose_hardware
from diffstn.models.given import check_size
from diffstn.words import typed

HELP = """diffstn correct FOLDER [out=FOLDER] [run=RUN] [hypotheses=K] [as_is=ODDS] …

Turns every image below FOLDER upright and writes it to out (by default FOLDER-corrected), as PNG in
its own colours: square with a corrector of digits, as wide as the image's longer side, the content
in the middle and as large as an upright digit, the rest paper or cut off. Beside them lies
corrections.csv, a row for each: where it is, what the classifier reads, its probability, how sure
the corrector is of it (confidence) and whether that is too little to go by (abstain), and what had
been done to the content: degrees clockwise, factors of width and height, shear, shift right and
down in the image's own widths and heights, and the same as the pose A. Dark writing on light paper
is read as well as light on black. An image that cannot be read is named, left out, and no error.

  run            folder of a run that corrects, or pretrained/diff_in_stn_full (default)
  hypotheses     poses to sample for each image, of which the best is taken (default: 16)
  as_is          odds of the image as it is to a sampled pose (default: as the run says, mostly 0)
  abstain_below  confidence below which abstain says yes (default: 0.8)
  seed           of the poses (default: 0)
  batch_size     images at once (default: 64)
  device         cpu, cuda, … (default: a GPU if there is one)
  trust          packages of your own whose classes the run may ask for, [NAME,NAME]
"""
PIXELS = 2**24
"""Of images at once, about: half a gigabyte while they are warped."""
DEFAULTS: dict[str, Any] = {
    "out": None,
    "run": "pretrained/diff_in_stn_full",
    "hypotheses": 16,
    "as_is": None,
    "abstain_below": 0.8,
    "seed": 0,
    "batch_size": 64,
    "device": "auto",
    "trust": [],
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
    model: Any = load_model(settings["run"], trust=settings["trust"]).to(settings["device"])
    if not hasattr(model, "correct"):
        raise UserError(f"run={settings['run']} corrects no images; use a run of model=diff_in_stn")
    if settings["as_is"] is not None:
        if not hasattr(model, "as_is"):
            raise UserError(f"as_is={settings['as_is']:g}: run={settings['run']} samples no poses")
        model.as_is = settings["as_is"]
    rows, places = [], places_of([path.relative_to(folder) for path in paths])
    to = {path: target / place for path, place in zip(paths, places, strict=True)}
    with tqdm(total=len(paths), desc="correcting", unit="image", disable=None) as bar:
        for first in range(0, len(paths), settings["batch_size"]):
            some = paths[first : first + settings["batch_size"]]
            rows += corrected(model, {path: to[path] for path in some}, settings)
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
    if settings["as_is"] is not None:
        if not re.fullmatch(r"\d{1,9}(\.\d*)?|\.\d+", settings["as_is"]):
            raise UserError(f"as_is={settings['as_is']}: must be a number, 0 or more")
        settings["as_is"] = float(settings["as_is"])
    settings["device"] = device_of(settings["device"])
    return folders[0], settings


def device_of(word: str) -> torch.device:
    """The device that is asked for; of "auto" a GPU if there is one."""
    if word == "auto":
        return choose_hardware("auto", "fp32").device
    try:
        device = torch.device(word)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device={word}: {str(error).splitlines()[0]}") from None
    return device


def places_of(paths: Sequence[Path]) -> list[Path]:
    """Where each image goes: `a.jpg` to `a.png` or, if `a.png` is another's, to `a.jpg.png`."""
    found: dict[Path, Path] = {}
    for path in sorted(paths, key=lambda path: path.suffix.lower() != ".png"):  # those stay first
        place = path.with_suffix(".png")
        if place in found:
            place = path.with_name(f"{path.name}.png")
        while place in found:
            place = place.with_name(f"_{place.name}")
        found[place] = path
    at = {path: place for place, path in found.items()}
    return [at[path] for path in paths]


def corrected(model: Any, to: dict[Path, Path], settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Correct the images at some paths and write them to others; return their rows of the table."""
    takes = inspect.signature(model.correct).parameters
    words = ("hypotheses", "seed", "abstain_below")
    asked = {name: settings[name] for name in words if name in takes}
    rows = []
    for images in stacks(list(to), model.facts.canvas):
        seen = torch.stack(list(images.values()))
        found = model.correct(seen, **asked)
        upright = in_own_colours(found, seen)
        sure, label = found.probabilities.max(dim=-1)
        for i, path in enumerate(images):
            to[path].parent.mkdir(parents=True, exist_ok=True)
            grey = bool((upright[i] == upright[i, :1]).all())
            pixels = upright[i, 0] if grey else upright[i].permute(1, 2, 0)
            Image.fromarray(pixels.cpu().numpy()).save(to[path])
            row: dict[str, Any] = {"image": path, "written to": to[path]}
            row["read as"] = model.facts.classes[int(label[i])]
            row["probability"] = f"{float(sure[i]):.4f}"
            if hasattr(found, "confidence"):
                row["confidence"] = f"{float(found.confidence[i]):.4f}"
                row["abstain"] = "yes" if found.abstain[i] else "no"
            rows.append({**row, **pose(found, i)})
    return sorted(rows, key=lambda row: str(row["image"]))


def stacks(paths: Sequence[Path], canvas: tuple[int, int]) -> Iterator[dict[Path, Tensor]]:
    """Images (3, H, W) of bytes by their paths, those of one size together, but no more at once
    than have `PIXELS`. One that cannot be read, or is too small for a model of that
    canvas, is named and left out.
    """
    of_size: dict[torch.Size, dict[Path, Tensor]] = {}
    for path in paths:
        try:
            image = read_image(path, None, 3)
            check_size((image.shape[1], image.shape[2]), canvas)
        except ValueError as error:
            print(f"left out {path}: {error}", file=sys.stderr)
            continue
        alike = of_size.setdefault(image.shape, {})
        alike[path] = image
        if sum(len(images) * shape[1] * shape[2] for shape, images in of_size.items()) >= PIXELS:
            yield from of_size.values()
            of_size = {}
    yield from of_size.values()


def in_own_colours(found: Any, images: Tensor) -> Tensor:
    """Upright bytes (B, C, h, w): of a pose the images (B, 3, H, W) themselves, or what was drawn.

    Beyond their edges there is paper, the colour of their borders.
    """
    if not hasattr(found, "upright"):
        return found.images
    return found.upright(images.float()).round().clamp(0, 255).byte()


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
