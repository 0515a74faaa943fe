"""The folder of one sweep: what was asked for, and which jobs are left to do."""

import itertools
import time
from collections.abc import Sequence
from pathlib import Path

from diffstn.errors import UserError
from diffstn.store.run_folder import RunFolder

WORDS = "sweep.txt"
ITS_OWN = ("hydra.", "hydra/", "debug=", "on_error=", "resume=")
"""Words that may differ when a sweep is carried on with: how its jobs run, not what they are."""


class SweepFolder:
    """`sweep.txt`, the words that began it, and a run folder for every job."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def claim(self, words: Sequence[str]) -> None:
        """Make the folder this sweep's alone.

        Raises:
            UserError: it is another one's.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if any(self.path.glob("*/overrides.txt")):
                raise FileExistsError
            with (self.path / WORDS).open("x") as file:
                file.write("".join(f"{word}\n" for word in words))
        except FileExistsError:
            raise UserError(
                f"{self.path} holds a sweep already; choose another hydra.sweep.dir=, or carry on"
                f" with it: python train.py -m hydra.sweep.dir={self.path} resume=true"
            ) from None
        except OSError as error:
            raise UserError(f"hydra.sweep.dir={self.path}: {error.strerror}") from None

    def words_to_resume(self, words: Sequence[str]) -> list[str]:
        """The words that began the sweep, with the new ones that say how its jobs are run.

        Raises:
            UserError: there is no sweep, or the new words would make it another one.
        """
        try:
            said = (self.path / WORDS).read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            raise UserError(
                f"resume=true: {self.path} holds no sweep; pass hydra.sweep.dir=<its folder>"
            ) from None
        new = [word for word in words if word not in said]
        if other := [word for word in new if not word.startswith(ITS_OWN)]:
            raise UserError(
                f"resume=true {other[0]}: a sweep that has begun keeps its words, which are"
                f" {' '.join(said)[:300]}"
            )
        return [*said, *(word for word in new if not word.startswith("resume="))]

    def stopped(self, since: float, on_error: str) -> str | None:
        """Why no further job is to begin; None if it is.

        Jobs may run in other processes, on other machines: what they came to is in their folders.

        Args:
            since: when this sitting of the sweep began, in seconds since the epoch.
            on_error: continue or stop.
        """
        for status in self.path.glob("*/status.json"):
            try:
                if status.stat().st_mtime < since:
                    continue
                state = RunFolder(status.parent).read_json("status").get("state")
            except (OSError, UserError):
                continue
            if state == "interrupted":
                return "the sweep was interrupted"
            if state == "failed" and on_error == "stop":
                return "on_error=stop"
        return None


def new_sweep(parent: Path | str = "sweeps") -> Path:
    """A folder named after the time, which this call has made: no other sweep has it."""
    name = time.strftime("%Y-%m-%d_%H-%M-%S")
    for number in itertools.count(1):
        found = Path(parent) / (name if number == 1 else f"{name}_{number}")
        try:
            found.mkdir(parents=True)
        except FileExistsError:
            continue
        return found
    raise AssertionError
