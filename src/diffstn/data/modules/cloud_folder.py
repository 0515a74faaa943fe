"""Point clouds from a folder of files."""

from __future__ import annotations

import io
import logging
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from diffstn.data.batches import keyed_generator
from diffstn.data.labelled import Labelled
from diffstn.data.modules.clouds import CloudData
from diffstn.data.sources.image_folder import named_like
from diffstn.data.splits import split_by_name
from diffstn.errors import UserError

logger = logging.getLogger("diffstn")

Reader = Callable[[Path, int, Generator], np.ndarray]


MOST_BYTES = 2**29
"""Of a file with one cloud, and of what a packed one unpacks to."""


def read_npy(path: Path, points: int, generator: Generator) -> np.ndarray:
    with path.open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def read_npz(path: Path, points: int, generator: Generator) -> np.ndarray:
    """The array called `points`, or the only one there is."""
    with zipfile.ZipFile(path) as archive:
        if sum(one.file_size for one in archive.infolist()) > MOST_BYTES:
            raise ValueError("too large when it is unpacked")
    with np.load(path, allow_pickle=False) as arrays:
        names = arrays.files
        if "points" not in names and len(names) != 1:
            raise ValueError(f"which of its arrays? name one 'points' (it has {', '.join(names)})")
        return arrays["points" if "points" in names else names[0]]


def read_xyz(path: Path, points: int, generator: Generator) -> np.ndarray:
    """Coordinates as text, a point a line; # starts a comment."""
    return np.loadtxt(path, ndmin=2)


def read_mesh(path: Path, points: int, generator: Generator) -> np.ndarray:
    """The vertices, or, where there are faces, points uniform on their area.

    No other file is read that a mesh may name, as one of its texture.
    """
    import trimesh

    content, kind = io.BytesIO(path.read_bytes()), path.suffix.lower()[1:]
    loaded: Any = trimesh.load(content, file_type=kind, process=False, skip_materials=True)
    if isinstance(loaded, trimesh.Scene):
        loaded = loaded.to_mesh()
    faces = getattr(loaded, "faces", None)
    if faces is None or not len(faces):
        return np.asarray(loaded.vertices)
    seed = int(torch.randint(2**31, (1,), generator=generator))
    return np.asarray(trimesh.sample.sample_surface(loaded, points, seed=seed)[0])


READERS: dict[str, Reader] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".xyz": read_xyz,
    ".ply": read_mesh,
    ".off": read_mesh,
}


def read_cloud(path: Path, points: int, generator: Generator) -> Tensor:
    """A cloud (points, D) float64, D = 2 or 3: the file's, thinned at random to so many points.

    Raises:
        ValueError: it cannot be read, is empty, has points that are not finite or too few, or they
            are neither in the plane nor in space.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES // 2**20} MB")
        array = READERS[path.suffix.lower()](path, points, generator)
        if array.dtype.kind not in "fiub":
            raise ValueError(f"no real numbers but {array.dtype}")
        cloud = torch.as_tensor(np.asarray(array, dtype=np.float64))
    except Exception as error:  # whatever a damaged file makes a reader raise
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise ValueError(f"unreadable ({reason}); mend or remove it") from None
    if cloud.ndim != 2:
        raise ValueError(f"not points (N, D) but an array {tuple(cloud.shape)}; reshape it")
    if not len(cloud):
        raise ValueError("empty; remove it")
    if cloud.shape[1] not in (2, 3):
        raise ValueError(f"{cloud.shape[1]} numbers a point; keep its 2 or 3 coordinates alone")
    if not cloud.isfinite().all():
        bad = int((~cloud.isfinite().all(dim=1)).sum())
        raise ValueError(f"{bad} of its {len(cloud)} points are not finite; remove them")
    if len(cloud) < points:
        raise ValueError(f"only {len(cloud)} points; lower data.points={points} or remove it")
    return cloud[torch.randperm(len(cloud), generator=generator)[:points]]


def centred(cloud: Tensor) -> Tensor:
    """Moved to its mean and scaled so that the farthest point is at distance 1."""
    moved = cloud - cloud.mean(dim=0)
    return moved / moved.norm(dim=1).max().clamp_min(1e-12)


class CloudFolder(CloudData):
    """Clouds from .npy, .npz, .xyz, .ply and .off files; a class per sub-folder.

    Every cloud is thinned at random to `points`; meshes are sampled on their surface. A file that
    does not fit (unreadable, empty, not finite, too few points, other dimension than most) is left
    out and named; the rest is used. The files are read at once, for their dimension is a fact.

    Args:
        root: the folder.
        points: of each cloud.
        normalise: "each": every cloud to its mean and unit radius; "all": one shift and scale for
            all of them, which keeps their sizes and places relative to one another; "none".
        val, test: shares that are held out, on average; the rest is for training. A file's split
            follows from its name alone, so adding files moves none from one split to another.
        data_seed: fixes the splits and the thinning.
        options: as for `CloudData`.

    Raises:
        UserError: there is no such folder, nothing in it fits, or a split would be empty.
    """

    def __init__(
        self,
        root: str | None = None,
        points: int = 1024,
        normalise: str = "each",
        val: float = 0.1,
        test: float = 0.2,
        data_seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if root is None or not Path(root).is_dir():
            raise UserError(
                f"data.root={root}: there is no such folder; pass data.root=<folder with"
                f" {', '.join(READERS)} files, one sub-folder per class>"
            )
        if normalise not in ("each", "all", "none"):
            raise UserError(f"data.normalise={normalise}: choose each, all or none")
        if points < 1 or not (val > 0 and test > 0 and val + test < 1):
            raise UserError(
                "data.points must be at least 1, and data.val and data.test shares above 0 that"
                f" leave something to train on; not {points}, {val} and {test}"
            )
        self.points, self.normalise, self.data_seed = points, normalise, data_seed
        self.shares = {"val": val, "test": test}
        every = named_like(Path(root), tuple(READERS))
        files = [path for path in every if path.is_file()]
        self._pipes = [path for path in every if not path.is_file()]
        if not files:
            raise UserError(f"{root} holds no {', '.join(READERS)} files")
        self.root, self.files = Path(root), files
        names = {path.relative_to(root).parts[0] for path in files if path.parent != Path(root)}
        loose = any(path.parent == Path(root) for path in files)
        self.classes = sorted(names) + (["."] if loose or not names else [])
        self._clouds = self._read()
        self.dim = self._clouds.items.shape[-1]

    def label(self, path: Path) -> int:
        parts = path.relative_to(self.root).parts
        return self.classes.index(parts[0] if len(parts) > 1 else ".")

    def _read(self) -> Labelled:
        """All that fit, in the order of their names.

        Raises:
            UserError: none does.
        """
        read: dict[Path, Tensor] = {}
        left_out = [f"{path}: no file but a pipe or a device" for path in self._pipes]
        for path in self.files:
            try:
                read[path] = read_cloud(path, self.points, self._generator(path, 0))
            except ValueError as error:
                left_out.append(f"{path}: {error}")
        if not read:
            raise UserError(f"no file in {self.root} fits; {left_out[0]}")
        [(dim, _)] = Counter(cloud.shape[1] for cloud in read.values()).most_common(1)
        for path, cloud in list(read.items()):
            if cloud.shape[1] != dim:
                left_out.append(
                    f"{path}: its points have {cloud.shape[1]} coordinates, most have {dim}; keep"
                    " them in a folder of their own"
                )
                del read[path]
        for line in left_out:
            logger.warning("left out %s", line)
        self.files = list(read)
        clouds = [centred(one) if self.normalise == "each" else one for one in read.values()]
        return Labelled(torch.stack(clouds), torch.tensor([self.label(path) for path in read]))

    def _generator(self, path: Path, purpose: int) -> Generator:
        """One that depends on the file's name within the folder and on nothing else there is."""
        name = os.fsencode(path.relative_to(self.root).as_posix())
        return keyed_generator(self.data_seed, purpose, zlib.crc32(name))

    def load(self) -> Mapping[str, Labelled]:
        """The splits, drawn file by file from its name: files that come or go move no other."""
        every = self._clouds
        names = [path.relative_to(self.root).as_posix() for path in self.files]
        rows = split_by_name(names, self.shares["val"], self.shares["test"], self.data_seed)
        splits = {split: every.at(chosen) for split, chosen in rows.items()}
        for split, items in splits.items():
            if not len(items.labels):
                raise UserError(
                    f"{len(every.labels)} clouds are too few: the {split} split would be empty;"
                    " raise data.val or data.test, or add files"
                )
        if self.normalise == "all":
            shift = splits["train"].items.mean(dim=(0, 1))
            scale = (splits["train"].items - shift).norm(dim=-1).max().clamp_min(1e-12)
            splits = {
                split: Labelled((items.items - shift) / scale, items.labels)
                for split, items in splits.items()
            }
        spread = float(splits["train"].items.std())
        if not 0.1 <= spread <= 3:
            logger.warning(
                "the coordinates' standard deviation is %.3g, and the noise of a diffusion model"
                " has 1: pass data.normalise=all, or scale the clouds",
                spread,
            )
        return {
            split: Labelled(items.items.float(), items.labels) for split, items in splits.items()
        }
