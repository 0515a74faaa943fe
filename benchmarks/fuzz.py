"""Damage files of every format that we read, at random, and see that each is read or refused.

A file is mutated (flipped bits, cuts, splices, false lengths; of YAML and JSON also exchanged
values) and read as a command would read it, in a process with a bound on time and memory. It must
be read, or refused in one line, and nothing else may happen. What does is kept in a folder.

    python benchmarks/fuzz.py --minutes 1
"""

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import own_tests  # noqa: F401
import pytest
import torch
from rows import Rows

from tests.hostile.formats import all_formats
from tests.hostile.fuzz import batch
from tests.hostile.good import good_runs, quick

FILES = 50
"""In one process."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=None, help="by default another one every time")
    parser.add_argument("--formats", nargs="*", help="files of these names only, as config.yaml")
    parser.add_argument("--keep", type=Path, default=Path("findings"), help="where findings go")
    options = parser.parse_args(arguments)
    keep = options.keep.resolve()
    seed = options.seed if options.seed is not None else time.time_ns() % 2**32
    torch.set_num_threads(1)
    files: Counter[str] = Counter()
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        quick(patch)
        runs = good_runs(Path(place))
        os.chdir(place)
        formats = all_formats(runs)
        chosen = [one for one in formats if not options.formats or one.name in options.formats]
        end = time.monotonic() + 60 * options.minutes
        while time.monotonic() < end:
            for one in chosen:
                seed += 1
                files[one.name] += FILES
                for finding in batch(one, formats, Path(place, "try"), seed, FILES):
                    found[one.name] += 1
                    keep.mkdir(parents=True, exist_ok=True)
                    name = f"{hashlib.sha256(finding.content).hexdigest()[:12]}-{one.name}"
                    (keep / name).write_bytes(finding.content)
                    print(f"{keep / name}\n{finding.problem}", file=sys.stderr, flush=True)
                if time.monotonic() > end:
                    break
    rows = Rows(["file", "damaged", "answered wrongly"], [16])
    for name in sorted(files):
        rows.add(name, files[name], found[name])
    rows.add("all", files.total(), found.total())
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
