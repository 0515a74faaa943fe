"""What run folders are called."""

import itertools
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def run_folder(out: str | None, seed: int, choices: Mapping[str, Any]) -> str:
    """`out`, or a new folder below runs/ that says what it holds."""
    if out is not None:
        return str(out)
    what = "-".join(str(choices[name]) for name in ("model", "data") if choices.get(name))
    name = time.strftime(f"runs/%Y-%m-%d_%H-%M-%S-{what}-seed{seed}")
    again = itertools.count(2)
    found = name
    while Path(found).exists():  # another run began within this second
        found = f"{name}_{next(again)}"
    return found


def file_name(text: str) -> str:
    """`text` as one short path component that can stand in an override without quotes."""
    return re.sub(r"[^\w.-]+", ".", text.replace("=", "-").replace(",", "_"))[:120]
