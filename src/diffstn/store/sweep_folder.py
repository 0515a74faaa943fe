"""The folder of one sweep: what was asked for, and which jobs are left to do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from diffstn.errors import Stopped, UserError
from diffstn.store.bounded import reason
from diffstn.store.run_folder import RunFolder, by_time
from diffstn.words import as_word, last_words, value_of

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
            file = self.path / WORDS
            if any(self.path.glob("*/overrides.txt")) or (file.exists() and file.stat().st_size):
                raise FileExistsError
            file.unlink(missing_ok=True)  # an empty one, by a sweep that found the disk full
            try:
                with file.open("x") as begun:
                    begun.write("".join(f"{word}\n" for word in words))
            except FileExistsError:
                raise
            except OSError:
                file.unlink(missing_ok=True)
                raise
        except FileExistsError:
            raise UserError(
                f"{self.path} holds a sweep already; choose another hydra.sweep.dir=, or carry on"
                f" with it: python train.py -m {as_word('hydra.sweep.dir', self.path)} resume=true"
            ) from None
        except OSError as error:
            raise UserError(f"hydra.sweep.dir={self.path}: {error.strerror}") from None

    @classmethod
    def asked(cls, words: Sequence[str]) -> "SweepFolder":
        """The one in the word `hydra.sweep.dir=`."""
        word = last_words(words).get("hydra.sweep.dir")
        return cls(value_of(word) if word else "hydra.sweep.dir")

    def words_to_resume(self, words: Sequence[str]) -> list[str]:
        """The words that began the sweep, with the new ones that say how its jobs are run.

        Raises:
            UserError: there is no sweep, or the new words would make it another one.
        """
        try:
            if not (said := (self.path / WORDS).read_text().splitlines()):
                raise FileNotFoundError
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

    def is_done(self, run: RunFolder) -> bool:
        """Whether a job has nothing left to do."""
        return run.config.exists() and run.read_json("status").get("state") == "done"

    def leaves_out(
        self,
        run: RunFolder,
        words: Sequence[str],
        since: float,
        on_error: str,
        problems: Sequence[BaseException] = (),
    ) -> bool:
        """Whether a job is left out: after an interrupt, or after a failure with `on_error=stop`.

        Jobs may run in other processes, on other machines: what they came to is in their folders.

        Args:
            words: of the job.
            since: when this sitting of the sweep began, in seconds since the epoch.
            on_error: continue or stop.
            problems: of jobs in this process, which may have been refused without a folder.
        """
        states = {"interrupted" if is_interrupt(one) else "failed" for one in problems}
        states |= set(self.states(since))
        if "interrupted" in states:
            why = "the sweep was interrupted"
        elif "failed" in states and on_error == "stop":
            why = "on_error=stop"
        else:
            return False
        if not run.config.exists():
            run.write_overrides(words)
            run.status("skipped", error=f"an earlier job did not finish, and {why}")
        return True

    def states(self, since: float = 0.0) -> Iterator[str]:
        """What the jobs came to since then, as far as it can be read."""
        for status in self.path.glob("*/status.json"):
            with suppress(OSError, UserError):
                if status.stat().st_mtime >= since:
                    yield RunFolder(status.parent).read_json("status").get("state", "")


@contextmanager
def failing_engine() -> Iterator[None]:
    """Within this context, what a launcher or a sweeper raises is one line: jobs raise nothing.

    Raises:
        UserError: as where there is no SLURM.
    """
    try:
        yield
    except (HydraException, OmegaConfBaseException, UserError):
        raise
    except Exception as error:  # whatever they raise
        raise UserError(f"the sweep cannot go on: {reason(error)}") from error


def is_interrupt(error: BaseException) -> bool:
    """Whether somebody asked to stop."""
    return isinstance(error, KeyboardInterrupt | Stopped)


SWEEPS = "sweeps"
NAMED_BY = "hydra.job.config.override_dirname.exclude_keys"
"""What is the same in all jobs, and left out of the names of their folders."""


def begun(
    folder: str, words: Sequence[str], added: Sequence[str], fixed: Sequence[str]
) -> list[str]:
    """Claim the folder of a sweep; the words that say which it is, and what its jobs are called.

    Args:
        folder: `sweeps`, for a new one in it, or one's own.
        words, added: of the sweep.
        fixed: what is the same in all of its jobs.

    Raises:
        UserError: the folder is another sweep's.
    """
    new = [] if folder != SWEEPS else [f"hydra.sweep.dir={new_sweep()}"]
    same = [key for key in fixed if not key.startswith("hydra")]
    if same and NAMED_BY not in last_words(words):
        new.append(f"{NAMED_BY}=[{','.join(same)}]")
    where = new[0].split("=", 1)[1] if folder == SWEEPS else folder
    SweepFolder(where).claim([*words, *added, *new])
    return new


def new_sweep(parent: Path | str = "sweeps") -> Path:
    """A folder named after the time, which this call has made: no other sweep has it."""

    def make(name: str) -> Path:
        (Path(parent) / name).mkdir(parents=True)
        return Path(parent) / name

    return by_time(make)
