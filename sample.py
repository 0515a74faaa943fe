"""Draw what a run does: python sample.py run=runs/..."""

import sys
from pathlib import Path

from diffstn.runs.command import run_command
from diffstn.runs.sampling import sample_run

if __name__ == "__main__":
    sys.exit(run_command(Path(__file__).parent / "conf", "sample", sample_run))
