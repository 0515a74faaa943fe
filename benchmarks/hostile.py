"""Try all hostile inputs of tests/hostile, and count what came of them.

Each is given to the command in a process of its own, forked from one that knows the libraries, with
a bound on time and memory. A payload would leave a file behind, whatever is opened for writing
outside `out` is noted, and so is every program that is started.

    python benchmarks/hostile.py
"""

import argparse
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import own_tests  # noqa: F401
import pytest
import torch
from rows import Rows

from tests.hostile.case import Answer
from tests.hostile.good import good_runs, quick
from tests.hostile.inputs import GROUPS
from tests.hostile.trial import tried

COLUMNS = [answer.name.lower() for answer in Answer]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--groups", nargs="*", help="some groups only")
    parser.add_argument("--names", nargs="*", default=[""], help="inputs whose names hold these")
    options = parser.parse_args(arguments)
    for name in options.groups or ():
        if name not in GROUPS:
            parser.error(f"no group '{name}'; there are: {', '.join(GROUPS)}")
    torch.set_num_threads(1)
    header = ["what is attacked", "inputs", *COLUMNS, "wrong", "tracebacks", "code run", "outside"]
    rows = Rows([*header, "longest s", "most MB"], [max(map(len, GROUPS))])
    total: Counter[str] = Counter()
    most = longest = 0.0
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        quick(patch)
        runs = good_runs(Path(place))
        logging.getLogger("diffstn").handlers.clear()
        os.chdir(place)
        for group in options.groups or GROUPS:
            cases = [
                case for case in GROUPS[group] if any(one in case.name for one in options.names)
            ]
            if not cases:
                continue
            verdicts = []
            for case in cases:
                verdicts.append(verdict := tried(case, runs))
                if verdict.wrong:
                    print(f"{group}, {case.name}: {verdict.wrong}", file=sys.stderr, flush=True)
            counted = Counter(inputs=len(cases))
            for verdict in verdicts:
                counted["wrong" if verdict.wrong else verdict.case.answer.name.lower()] += 1
                counted["tracebacks"] += verdict.traceback
                counted["code run"] += bool(verdict.ran)
                counted["outside"] += bool(verdict.outside)
            slowest = max(verdict.seconds for verdict in verdicts)
            largest = max(verdict.megabytes for verdict in verdicts)
            rows.add(group, *(counted[n] for n in header[1:]), f"{slowest:.1f}", f"{largest:.0f}")
            total += counted
            longest, most = max(longest, slowest), max(most, largest)
    rows.add("all", *(total[name] for name in header[1:]), f"{longest:.1f}", f"{most:.0f}")
    sys.exit(bool(total["wrong"]))


if __name__ == "__main__":
    main()
