"""Samples as files that other programs read."""

import json
from pathlib import Path

import numpy as np
import torch

from diffstn.data.labelled import Labelled
from diffstn.errors import UserError
from diffstn.store.bounded import check_plain, read
from diffstn.store.run_folder import first_rank

MARK = "sample.json"
"""In a folder of samples: whose they are."""


def sampled_in(folder: Path, run: Path | str) -> Path:
    """A folder for samples of a run, new or with those of an earlier time, which are replaced.

    Raises:
        UserError: it holds something else, or cannot be written.
    """
    mark = folder / MARK
    if not first_rank():  # which writes
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_plain(folder)
        if any(folder.iterdir()) and not mark.is_file():
            raise UserError(f"out={folder} holds what no sampling wrote: choose another out=")
        earlier = json.loads(read(mark)) if mark.is_file() else {"run": str(run)}
        if not isinstance(earlier, dict) or earlier.get("run") != str(run):
            raise UserError(f"out={folder} holds samples of another run: choose another out=")
        mark.write_text(json.dumps({"run": str(run)}) + "\n")
    except OSError as error:
        raise UserError(f"out={folder}: {error.strerror}; choose another out=") from None
    except UserError:
        raise
    except ValueError:  # the mark is damaged, or the name is none
        raise UserError(f"out={folder} is no folder of samples: choose another out=") from None
    return folder


def saved(items: Labelled, folder: Path, form: str) -> Path:
    """Write items to `samples.npz`, or images to `samples/` as a PNG each.

    The npz holds `items` (images as uint8 (N, C, H, W), points as float32) and `labels` (N,), -1
    where no class was asked for. A PNG's name is its number and its class, if it has one; its
    pixels are those of the image, white being 1.

    Returns:
        The file or the folder.

    Raises:
        UserError: PNG for what are no images.
    """
    content, labels = items.items.detach().float().cpu(), items.labels.cpu()
    images = content.ndim == 4
    if images:
        content = (content.clamp(0, 1) * 255).round().to(torch.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    if form == "npz":
        path = folder / "samples.npz"
        np.savez_compressed(path, items=content.numpy(), labels=labels.numpy())
        return path
    if not images:
        raise UserError("save=png is for images, and these are points: save=npz")
    from PIL import Image

    path = folder / "samples"
    path.mkdir(exist_ok=True)
    for number, (image, label) in enumerate(zip(content, labels.tolist(), strict=True)):
        pixels = image[0] if len(image) == 1 else image.permute(1, 2, 0)
        name = f"{number:05d}" if label < 0 else f"{number:05d}-{label}"
        Image.fromarray(pixels.numpy()).save(path / f"{name}.png")
    return path
