"""What dashboards were told already, so that a resumed run does not say it again."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from diffstn.store.bounded import is_small, read


class Told:
    """For each dashboard and each name, the last step that it was told.

    A resumed run repeats the steps since its checkpoint, the same to the bit; what an earlier
    process told of them is left out. Within one process nothing is: two values of a step are two.

    Kept in a file that is rewritten after every row, in one step. A damaged one counts as none.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = self.read()
        self.last = {board: dict(steps) for board, steps in self.before.items()}

    def read(self) -> dict[str, dict[str, int]]:
        """The file's content."""
        content = None
        with suppress(OSError, ValueError, RecursionError):
            content = json.loads(read(self.path))
        if not isinstance(content, dict) or not is_small(content):
            return {}
        return {
            board: {name: step for name, step in steps.items() if type(step) is int}
            for board, steps in content.items()
            if isinstance(steps, dict)
        }

    def news(self, board: str, names: Iterable[str], step: int) -> list[str]:
        """Of these names, those whose value at this step the dashboard was not told before."""
        before = self.before.get(board, {})
        return [name for name in names if step > before.get(name, -1)]

    def note(self, board: str, names: Iterable[str], step: int) -> None:
        """Remember that the dashboard was told."""
        self.last.setdefault(board, {}).update(dict.fromkeys(names, step))
        draft = self.path.with_name(f"{self.path.name}.part")
        draft.write_text(json.dumps(self.last))
        draft.replace(self.path)

    def forget(self) -> None:
        """From here on nothing is a repetition."""
        self.before = {}
