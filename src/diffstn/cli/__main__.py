"""`python -m diffstn.cli`: the console command where it is not installed."""

import sys

from diffstn.cli.main import main

sys.exit(main())
