"""What run folders are called."""

import re
import time
from collections.abc import Mapping
from typing import Any


def run_folder(out: str | None, seed: int, choices: Mapping[str, Any]) -> str:
    """`out`, or a new folder below runs/ that says what it holds."""
    what = "-".join(str(choices[name]) for name in ("model", "data") if choices.get(name))
    return (
        str(out) if out is not None else time.strftime(f"runs/%Y-%m-%d_%H-%M-%S-{what}-seed{seed}")
    )


def file_name(text: str) -> str:
    """`text` as one short path component that can stand in an override without quotes."""
    return re.sub(r"[^\w.-]+", ".", text.replace("=", "-").replace(",", "_"))[:120]
