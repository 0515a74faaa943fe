"""`diffstn report RUN|SWEEP|RUN RUN …`: a page to open."""

import sys
from collections.abc import Sequence

from diffstn.cli.refusals import Outcome


def report_command(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    from diffstn.report.write import HELP, report

    if not words or {"-h", "--help"} & set(words):
        print(HELP)
        return 0
    with Outcome("debug=true" in words) as outcome:
        for path in report([word for word in words if word != "debug=true"]):
            print(f"wrote {path}")
    return outcome.code
