"""What a network makes of real images, computed once and kept on disk."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from diffstn.metrics.images.features import Features
from diffstn.metrics.images.moments import Moments

KEPT = 10_000
"""Features that are kept one by one, for the measures that compare neighbours."""


class RealStatistics(NamedTuple):
    """Moments of all N images of a split, in float64, and the features of the first ones."""

    mean: Tensor
    covariance: Tensor
    features: Tensor
    total: int


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/diffstn`, or `~/.cache/diffstn`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diffstn"


def real_statistics(
    data: Any, split: str, features: Features, device: torch.device | str = "cpu"
) -> RealStatistics:
    """Those of a split's images; read from the cache if the same were computed before.

    The key holds the digests of the images and of the features, so a file is never stale.
    """
    name = f"{features.name}-{features.digest}-{data.digest(split)}.safetensors"
    path = cache_folder() / name.replace("/", "_")
    stored = kept_statistics(path, features.size)
    if stored is None:
        moments, kept = Moments(features.size).to(device), []
        total = data.count(split)
        with tqdm(total=total, desc=f"real images, {split}", unit="image", disable=None) as bar:
            for rows in torch.arange(total).split(500):
                seen = features(data.batch(split, rows, device).image).features
                moments.update(seen)
                if int(rows[0]) < KEPT:
                    kept.append(seen.cpu())
                bar.update(len(rows))
        mean, covariance = (part.cpu() for part in moments.compute())
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.part")
        save_file(
            {
                "mean": mean.contiguous(),
                "covariance": covariance.contiguous(),
                "features": torch.cat(kept)[:KEPT].contiguous(),
                "total": torch.tensor(total),
            },
            draft,
        )
        draft.replace(path)
        stored = kept_statistics(path, features.size)
        assert stored is not None
    return stored


def kept_statistics(path: Path, size: int) -> RealStatistics | None:
    """What a file of the cache holds; None if there is none, or it is damaged.

    Args:
        size: of a feature.
    """
    try:
        found = load_file(path)
        stored = RealStatistics(
            found["mean"], found["covariance"], found["features"], int(found["total"])
        )
        shapes = (stored.mean.shape, stored.covariance.shape, stored.features.shape[1:])
    except Exception:  # whatever a file that is none makes the library raise
        return None
    return stored if shapes == ((size,), (size, size), (size,)) else None
