"""What `python sample.py` takes beyond its network: seconds of the command beside their sum.

    python benchmarks/sample_command.py [--run pretrained/mnist_unet] [--n 1000] [--rounds 3]
        [WORD ...]

Each round runs the command once in a process of its own, from the start of Python to the samples on
the disk, with a clock around every call of the run's network. The words are further settings of the
command; figures are left out unless `figures=true` is among them.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rows import Rows

ROOT = Path(__file__).parents[1]
CLOCKED = """
import sys, time
from pathlib import Path
from diffstn.cli.main import run
from diffstn.diffusion import Denoiser
seconds, plain = [], Denoiser.forward
def clocked(*inputs, **named):
    begin = time.perf_counter()
    found = plain(*inputs, **named)
    seconds.append(time.perf_counter() - begin)
    return found
Denoiser.forward = clocked
into = Path(sys.argv.pop(1))
code = run("sample")
into.write_text(f"{len(seconds)} {sum(seconds)}")
sys.exit(code)
"""
"""The command, and what its network took."""


def one_round(words: Sequence[str]) -> tuple[float, int, float]:
    """Seconds of the command, calls of the network, and their seconds."""
    with tempfile.TemporaryDirectory() as folder:
        into, out = Path(folder) / "calls", Path(folder) / "samples"
        asked = [sys.executable, "-c", CLOCKED, str(into), *words, f"out={out}"]
        begin = time.perf_counter()
        subprocess.run(asked, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        spent = time.perf_counter() - begin
        calls, seconds = into.read_text().split()
    return spent, int(calls), float(seconds)


def main(arguments: Sequence[str] | None = None) -> None:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", default="pretrained/mnist_unet")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("words", nargs="*", metavar="WORD")
    options: Any = parser.parse_args(arguments)
    words = [f"run={options.run}", f"n={options.n}", "save=npz", "figures=false", *options.words]
    rows = Rows(["round", "command, s", "network calls", "their sum, s", "command / sum"])
    for i in range(options.rounds):
        spent, calls, seconds = one_round(words)
        rows.add(i + 1, f"{spent:.1f}", calls, f"{seconds:.1f}", f"{spent / seconds:.2f}")


if __name__ == "__main__":
    main()
