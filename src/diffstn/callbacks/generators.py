"""The state of every generator of random numbers that a training may ask."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from diffstn.ranks import common, seed_common

ACCELERATORS = ("cuda", "mps")


def generators(device: torch.device) -> dict[str, Any]:
    """Python's, NumPy's and torch's states, of torch also that of `device`, in plain containers."""
    name, keys, *rest = np.random.get_state()
    state: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
    }
    if device.type in ACCELERATORS:
        state[device.type] = getattr(torch, device.type).get_rng_state()
    if (shared := common(device)) is not None:
        state["common"] = shared.get_state()
    return state


def restore_generators(state: Mapping[str, Any], device: torch.device) -> None:
    """Make every generator go on where `generators` found it."""
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys), gauss))
    name, found, *rest = state["numpy"]
    np.random.set_state((name, found.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"].cpu())
    if device.type in ACCELERATORS and device.type in state:
        getattr(torch, device.type).set_rng_state(state[device.type].cpu())
    if "common" in state:
        seed_common(0, device).set_state(state["common"].cpu())
