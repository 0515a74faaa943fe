"""`diffstn correct FOLDER`, `diffstn export run=RUN`, `diffstn report RUN …`: commands that read no
configuration."""

import sys
from collections.abc import Sequence
from typing import Any

from diffstn.cli.conf import import_from_here
from diffstn.cli.refusals import Outcome
from diffstn.located import located

WORK = {
    "correct": "diffstn.tasks.correct_folder.correct_folder",
    "export": "diffstn.tasks.export_corrector.export_corrector",
    "report": "diffstn.report.write.report",
}


def folders_command(name: str, arguments: Sequence[str] | None = None) -> int:
    """Run one of `WORK`; return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    work: Any = located(WORK[name])
    if not words or {"-h", "--help"} & set(words):
        print(sys.modules[work.__module__].HELP)
        return 0
    import_from_here()
    with Outcome("debug=true" in words) as outcome:
        for what in work([word for word in words if word != "debug=true"]):
            print(f"wrote {what}")
    return outcome.code
