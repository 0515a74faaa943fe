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
from diffstn.ranks import agreed, group, in_order

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

    The key holds the digests of the images and of the features, so a file is never stale. Processes
    that work together share the work, and all must ask.
    """
    name = f"{features.name}-{features.digest}-{data.digest(split)}.safetensors"
    path = cache_folder() / name.replace("/", "_")
    stored = kept_statistics(path, features.size)
    if not agreed(stored is not None):
        moments = Moments(features.size, sync_on_compute=False).to(device)
        kept: list[Tensor] = []
        total = data.count(split)

        def look(rows: Tensor) -> Tensor:
            return features(data.batch(split, rows, device).image).features.cpu()

        silent = True if group()[0] else None
        with tqdm(total=total, desc=f"real images, {split}", unit="image", disable=silent) as bar:
            for seen in in_order(torch.arange(total).split(500), look):
                moments.update(seen.to(device))
                if 500 * len(kept) < KEPT:
                    kept.append(seen)
                bar.update(len(seen))
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
