"""Damaged files of every format, in processes with bounds, and what must not come of them."""

import logging
import os
import random
import resource
import shutil
import signal
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.forked import Forked
from tests.hostile.formats import Format
from tests.hostile.mutations import exchanged, mutated
from tests.hostile.trial import GIGABYTES, MOST_LETTERS, _virtual, watch

SECONDS = 10
"""Of computing, for one file."""


class Finding(NamedTuple):
    """A file that was answered wrongly."""

    format: str
    content: bytes
    problem: str


def damaged(one: Format, formats: Sequence[Format], chance: random.Random) -> bytes:
    """One damaged file of a format."""
    good = chance.choice(one.good)
    if one.tree and chance.random() < 0.7:
        return exchanged(good, one.name, chance)
    other = chance.choice(chance.choice(formats).good)
    return mutated(good, other, chance)


def judged(one: Format, folder: Path, content: bytes) -> str:
    """Read one file; what is wrong with the answer, if anything."""
    from diffstn.errors import UserError
    from diffstn.words import one_line

    place = folder / "work"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    path = place / one.name
    path.write_bytes(content)
    try:
        one.read(path)
    except UserError as error:
        said = one_line(str(error))  # as the terminal shows it
        if not said or len(said) > MOST_LETTERS + len(str(path)):
            return f"{len(said)} letters: {said[:300]}"
    except Exception:
        return traceback.format_exc()[-1500:]
    return ""


def batch(
    one: Format, formats: Sequence[Format], folder: Path, seed: int, files: int
) -> list[Finding]:
    """Try some damaged files in a process of its own; it ends at the first wrong answer."""
    folder.mkdir(parents=True, exist_ok=True)
    now, problem = folder / "now", folder / "problem"

    def work() -> int:
        most = _virtual() + int(GIGABYTES * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        for number in (signal.SIGALRM, signal.SIGPROF):
            signal.signal(number, signal.SIG_DFL)
        logging.disable(logging.CRITICAL)
        warnings.simplefilter("ignore")
        seen = folder / "seen"
        watch(folder.resolve(), os.open(seen, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        chance = random.Random(seed)
        for _ in range(files):
            content = damaged(one, formats, chance)
            now.write_bytes(content)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.alarm(12 * SECONDS)  # where it waits for ever
            found = judged(one, folder, content) or seen.read_text()
            signal.setitimer(signal.ITIMER_PROF, 0)
            if found:
                problem.write_text(found)
                return 1
        return 0

    process = Forked(work, folder)
    code = process.wait()
    said = process.said.read_text(errors="replace")
    if code == 0:
        shutil.rmtree(folder)
        return []
    why = problem.read_text() if problem.exists() else f"died with {code}: {said[-500:]}"
    finding = Finding(one.name, now.read_bytes(), why)
    shutil.rmtree(folder)
    return [finding]
