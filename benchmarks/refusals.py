"""How soon is bad input refused? Beside the import of what a training needs.

Each word is typed at `train.py` or `evaluate.py` in a process of its own, as a user would. The
import of Lightning, which brings torch and torchmetrics, is what a refusal would cost at least if
it came after it. A row is the median of a few.

    python benchmarks/refusals.py --rounds 5
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rows import Rows

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "import of Lightning": ["-c", "import pytorch_lightning"],
    "a setting that is none": [str(ROOT / "train.py"), "epoch=3"],
    "a choice that is none": [str(ROOT / "train.py"), "model=snt"],
    "a value of the wrong kind": [str(ROOT / "train.py"), "optimizer.lr=fast"],
    "a setting without effect": [str(ROOT / "train.py"), "+foo=1"],
    "data of another kind": [str(ROOT / "train.py"), "data=mnist"],
    "a run that is none": [str(ROOT / "evaluate.py"), "run=nowhere"],
    "a setting that its task lacks": [
        *(str(ROOT / "evaluate.py"), "run=pretrained/mnist_unet", "hypotheses=2")
    ],
    "a network that does not fit": [str(ROOT / "train.py"), "network=unet"],
}
"""The last is found out by building the model, and takes all that building takes."""


def seconds(words: Sequence[str], folder: str) -> float:
    """From the start of the process to its end."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, check=False)
    assert done.returncode == (0 if words[0] == "-c" else 2), done.stderr
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    rows = Rows(["what is refused", "seconds", "of an import"], [max(map(len, COMMANDS))])
    with tempfile.TemporaryDirectory() as folder:
        one_import = 0.0
        for name, words in COMMANDS.items():
            found = statistics.median(seconds(words, folder) for _ in range(options.rounds))
            one_import = one_import or found
            rows.add(name, f"{found:.2f}", f"{found / one_import:.2f}")


if __name__ == "__main__":
    main()
