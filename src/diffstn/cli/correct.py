"""`diffstn correct FOLDER`: the images of a folder, turned upright."""

import sys
from collections.abc import Sequence

from diffstn.cli.refusals import Outcome


def correct_command(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    from diffstn.tasks.correct_folder import HELP, correct_folder

    if not words or {"-h", "--help"} & set(words):
        print(HELP)
        return 0
    with Outcome("debug=true" in words) as outcome:
        correct_folder([word for word in words if word != "debug=true"])
    return outcome.code
