"""The images of a folder, turned upright."""

import csv
import sys
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tqdm import tqdm

from diffstn.build import load_model
from diffstn.data.sources.image_folder import images_in, read_image
from diffstn.errors import UserError


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
    paths = images_in(folder)
    if not paths:
        raise UserError(f"{folder} holds no images")
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
