"""What `compile=true` is worth in training: a step with and without it, and when it has paid.

    python benchmarks/compiled.py [experiment=kinds/mnist] [further overrides] [--rounds 2]

Each round trains a few batches without and with it, by the Trainer that runs use. A step is the
median of its batches, the faster round counts. The first step of the first round compiles, with
nothing kept of earlier times. Without compiling, a training that is shorter than the minutes of the
last column ends earlier.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from rows import Rows

from diffstn.build import build_data, build_model
from diffstn.hardware import choose_hardware
from diffstn.library import compose
from diffstn.runs.minutes import timed

WORDS = ["experiment=kinds/mnist"]


def seconds(config: dict[str, Any], data: Any, compiled: bool) -> tuple[float, float]:
    """Of the first step, with all that comes before it, and of a later one."""
    begin = time.perf_counter()
    model = build_model(config, data.facts)
    clock, _ = timed({**config, "compile": compiled}, choose_hardware(), model, data)
    return clock.times[0] - begin, clock.seconds()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2)
    options, words = parser.parse_known_args(arguments)
    config = compose(words or WORDS)
    data: Any = build_data(config)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        ways = (False, True)
        found = {way: [seconds(config, data, way)] for way in ways}
        for _ in range(options.rounds - 1):
            for way in ways:
                found[way].append(seconds(config, data, way))
    (start, step), (late, short) = (
        (rounds[0][0], min(own for _, own in rounds)) for rounds in found.values()
    )
    pays = f"{(late - start) / (step - short) * step / 60:.1f}" if short < step else "never"
    rows = Rows(["compile", "first step, s", "a step, s", "× as fast", "pays after, min"], [7])
    rows.add("false", f"{start:.1f}", f"{step:.3f}", "1.00", "")
    rows.add("true", f"{late:.1f}", f"{short:.3f}", f"{step / short:.2f}", pays)


if __name__ == "__main__":
    main()
