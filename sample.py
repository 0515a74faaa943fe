"""Plot what a run does: python sample.py run=runs/..., or model=gaussian_1d."""

import sys

from diffstn.cli.main import run

if __name__ == "__main__":
    sys.exit(run("sample"))
