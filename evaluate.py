"""Evaluate a run: python evaluate.py run=runs/... sampler.steps=20 hypotheses=[1,16]."""

import sys
from pathlib import Path

from diffstn.runs.command import run_command
from diffstn.runs.evaluating import evaluate_run

if __name__ == "__main__":
    sys.exit(run_command(Path(__file__).parent / "conf", "evaluate", evaluate_run))
