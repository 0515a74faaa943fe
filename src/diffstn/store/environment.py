"""Where and with what a run was made."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from diffstn.hardware import Hardware

PACKAGES = (
    "diffstn",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "torchmetrics",
    "hydra-core",
    "omegaconf",
)


def environment(hardware: Hardware, seed: int) -> dict[str, Any]:
    """Versions, commit, device and seed, for `environment.json`."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # used from a checkout that was not installed
            versions[package] = None
    try:
        found = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
        )
        commit = found.stdout.strip()
    except OSError:  # no git on this machine
        commit = ""
    return {
        "python": platform.python_version(),
        **versions,
        "commit": commit or None,
        "platform": platform.platform(),
        "hardware": hardware.reason,
        "precision": hardware.precision,
        "seed": seed,
    }
