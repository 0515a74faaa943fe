"""Images from a folder of files."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from diffstn.data.batches import keyed_generator
from diffstn.data.labelled import Labelled
from diffstn.data.modules.in_memory import SPLITS
from diffstn.errors import UserError

logger = logging.getLogger("diffstn")

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
NAMED = 5
"""How many of the files that are left out are named; the rest is counted."""
MODES = {1: "L", 3: "RGB"}


def read_image(path: Path, size: tuple[int, int], channels: int) -> Tensor:
    """(C, H, W) uint8: scaled until it covers `size`, cropped to it around the centre.

    Transparent places are shown on white. Grey becomes colour, and colour grey, as asked for; 16
    bits become 8.

    Raises:
        ValueError: the file cannot be read as an image.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode == "F":
                raise ValueError("its numbers have no known range; save it with 8 or 16 bits")
            if image.mode.startswith("I"):  # 16 bits, which converting would cut off
                wide = np.asarray(image, dtype=np.float64) / 257
                image = Image.fromarray(wide.round().clip(0, 255).astype(np.uint8))
            if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                image = image.convert("RGBA")
                white = Image.new("RGBA", image.size, "white")
                image = Image.alpha_composite(white, image)
            image = image.convert(MODES[channels])
            height, width = size
            fitted = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    except Exception as error:  # whatever a damaged file makes a reader raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"unreadable ({reason})") from None
    array = np.asarray(fitted, dtype=np.uint8)
    return torch.from_numpy(array.reshape(height, width, channels).copy()).permute(2, 0, 1)


class ImageFolder:
    """Images of any size in a folder, a class per sub-folder, as an image source.

    Every image is scaled until it covers `size` and cropped around its centre. Files that cannot
    be read, and files beside the sub-folders, are left out, named (the first few) and counted. A
    image's split follows from its name alone, so adding files moves none to another.

    Args:
        root: the folder.
        image_size: (height, width) of the images that come out.
        channels: 3 for colour, 1 for grey.
        val, test: shares that are held out, on average.
        data_seed: fixes the splits.

    Raises:
        UserError: there is no such folder, a sub-folder holds no image, a setting is out of
            range, or, at `load`, nothing can be read or a split would be empty.
    """

    def __init__(
        self,
        root: str | None = None,
        image_size: Sequence[int] = (32, 32),
        channels: int = 3,
        val: float = 0.1,
        test: float = 0.1,
        data_seed: int = 0,
    ) -> None:
        if root is None or not Path(root).is_dir():
            raise UserError(
                f"data.root={root}: there is no such folder; pass data.root=<folder of images,"
                " one sub-folder per class>"
            )
        if len(image_size) != 2 or min(image_size) < 1 or channels not in MODES:
            raise UserError(
                f"data.image_size={list(image_size)} data.channels={channels}: a size is [height,"
                " width], and images have 1 channel (grey) or 3 (colour)"
            )
        if min(val, test) <= 0 or val + test >= 1:
            raise UserError(
                "data.val and data.test are shares above 0 that leave something to train on; not"
                f" {val} and {test}"
            )
        self.root, self.data_seed = Path(root), data_seed
        self.size: tuple[int, int] = (int(image_size[0]), int(image_size[1]))
        self.channels = channels
        self.shares = {"val": val, "test": test}
        inside = sorted(p for p in self.root.iterdir() if p.name[0] != ".")
        folders = [path for path in inside if path.is_dir()]
        self.stray = [p for p in inside if folders and p.suffix.lower() in ENDINGS and p.is_file()]
        self.files = {folder.name: images_in(folder) for folder in folders} or {
            ".": images_in(self.root)
        }
        for name, files in self.files.items():
            if not files:
                raise UserError(
                    f"{self.root / name} holds no image ({', '.join(ENDINGS)}): remove the"
                    " folder, or put its class's images there"
                )
        self.classes = tuple(self.files)

    def load(self) -> dict[str, Labelled]:
        """The splits, each in an order that is random and always the same."""
        images: list[Tensor] = []
        labels: list[int] = []
        draws: list[float] = []
        left_out: list[str] = []
        total = sum(len(files) for files in self.files.values())
        with tqdm(total=total, desc="reading images", unit="image", disable=None) as bar:
            for label, files in enumerate(self.files.values()):
                for path in files:
                    bar.update()
                    try:
                        images.append(read_image(path, self.size, self.channels))
                    except ValueError as error:
                        left_out.append(f"{path}: {error}")
                        continue
                    labels.append(label)
                    name = path.relative_to(self.root).as_posix().encode()
                    generator = keyed_generator(self.data_seed, 1, zlib.crc32(name))
                    draws.append(float(torch.rand((), generator=generator)))
        if self.stray:
            logger.warning(
                "left out %s: beside the classes' folders %d images belong to no class",
                *(self.stray[0], len(self.stray)),
            )
        for line in left_out[:NAMED]:
            logger.warning("left out %s", line)
        if left_out:
            logger.warning("left out %d of %d images", len(left_out), total)
        if not images:
            raise UserError(f"no image in {self.root} can be read; {left_out[0]}")
        if lost := set(range(len(self.classes))) - set(labels):
            where = self.root / self.classes[min(lost)]
            raise UserError(f"no image of {where} can be read: mend or remove it")
        every = Labelled(torch.stack(images), torch.tensor(labels))
        u, (val, test) = torch.tensor(draws), self.shares.values()
        rows = {"val": u < val, "test": (u >= val) & (u < val + test), "train": u >= val + test}
        order = torch.randperm(len(u), generator=keyed_generator(self.data_seed, len(SPLITS)))
        splits = {split: every.at(order[rows[split][order]]) for split in SPLITS}
        for split, items in splits.items():
            if not len(items.labels):
                raise UserError(
                    f"{len(labels)} images are too few: the {split} split would be empty; raise"
                    " data.val or data.test, or add images"
                )
        return splits


def images_in(folder: Path) -> list[Path]:
    """The files below `folder` that look like images by their names, in order."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
