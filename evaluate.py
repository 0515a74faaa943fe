"""Evaluate a run: python evaluate.py run=runs/... sampler.steps=20 'hypotheses=[1,16]'."""

import sys

from diffstn.cli.main import run

if __name__ == "__main__":
    sys.exit(run("evaluate"))
