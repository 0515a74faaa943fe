"""Draw what a run does: python sample.py run=runs/..., or model=gaussian_1d"""

import sys
from pathlib import Path

from diffstn.runs.closed_form import draw_closed_form
from diffstn.runs.command import run_command
from diffstn.runs.sampling import sample_run

CONF = Path(__file__).parent / "conf"

if __name__ == "__main__":
    sys.exit(run_command(CONF, "sample", sample_run, untrained=draw_closed_form))
