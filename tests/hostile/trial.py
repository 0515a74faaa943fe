"""Try hostile inputs, each in a process of its own with bounds, and judge what came of them."""

import logging
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.forked import Forked
from tests.hostile.case import Answer, Case, Place

SECONDS, PATIENCE = 20, 100
"""Of computing for one input, and by the clock, where it waits for ever."""
GIGABYTES = 1.5
"""Of address space beside what the libraries take."""
MOST_LETTERS = 400
"""Of the line that refuses."""
MAY_RUN = ("git", "uname", "/sbin/ldconfig", "ldconfig")
"""Programs that tell the commit and the platform."""
WRITES = ("open", "os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate")
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")


@dataclass
class Verdict:
    """What came of one input."""

    case: Case
    code: int
    said: str
    seconds: float
    megabytes: float
    ran: list[str] = field(default_factory=list)
    """Code or programs that were run."""
    outside: list[str] = field(default_factory=list)
    """Files and folders that were touched and should not have been."""

    @property
    def traceback(self) -> bool:
        """Whether a user met one, or a process that died."""
        return "Traceback" in self.said or self.code not in (0, 2)

    @property
    def wrong(self) -> str:
        """What is not as it should be; empty if all is."""
        lines = [line for line in self.said.splitlines() if line.startswith("error: ")]
        if self.ran:
            return f"ran {self.ran[0]}"
        if self.outside:
            return f"touched {self.outside[0]}"
        if self.code in (-9, -24):
            return f"still running after {SECONDS} s"
        if self.traceback:
            return f"exit code {self.code}: {self.said[-300:]}"
        if self.case.answer is Answer.REFUSED:
            if self.code != 2:
                return f"accepted: {self.said[-200:]}"
            if len(lines) != 1 or len(lines[0]) > MOST_LETTERS:
                return f"{len(lines)} lines, {sum(map(len, lines))} letters: {self.said[:500]}"
            after = self.said[self.said.index(lines[0]) + len(lines[0]) :].strip()
            if after:
                return f"more than a line: {after[:300]}"
        elif self.code != 0:
            return f"refused: {self.said[-300:]}"
        if self.case.answer is Answer.SKIPPED and "left out" not in self.said:
            return "nothing is said to be left out"
        if self.case.says not in self.said:
            return f"does not say '{self.case.says}': {self.said[-300:]}"
        return ""


def tried(case: Case, runs: Mapping[str, Path]) -> Verdict:
    """Try one input in a folder that is removed afterwards."""
    root = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        place = Place(root, runs)
        for prepare in case.prepare:
            prepare(place)
        before = snapshot(root)
        verdict = _run(case, place)
        touched = sorted(_changed(before, snapshot(root)))
        verdict.outside += [name for name in touched if not _may_write(case, name)]
        if place.canary.exists():
            verdict.ran.append("the payload")
        return verdict
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _run(case: Case, place: Place) -> Verdict:
    seen = place.root / "seen.txt"
    environment = {
        "HOME": str(place.root / "home"),
        "TMPDIR": str(place.root / "tmp"),
        "XDG_CACHE_HOME": str(place.root / "cache"),
        "CANARY": str(place.canary),
    }
    start = time.perf_counter()
    process = Forked(lambda: _command(case, place, seen), place.work, environment)
    usage: Any = None
    while usage is None:
        pid, status, found = os.wait4(process.pid, os.WNOHANG)
        if pid:
            usage = found
        elif time.perf_counter() - start > PATIENCE:
            process.kill()
            _, status, usage = os.wait4(process.pid, 0)
        else:
            time.sleep(0.005)
    seconds = usage.ru_utime + usage.ru_stime
    said = process.said.read_text(errors="replace")
    process.said.unlink()
    heard = seen.read_text().splitlines() if seen.exists() else []
    seen.unlink(missing_ok=True)
    base = next((float(line[5:]) for line in heard if line.startswith("base ")), 0.0)
    return Verdict(
        case,
        os.waitstatus_to_exitcode(status),
        said,
        seconds,
        max(0.0, usage.ru_maxrss / 1024 - base),
        [line[4:] for line in heard if line.startswith("ran ")],
        [line[6:] for line in heard if line.startswith("wrote ")],
    )


def _command(case: Case, place: Place, seen: Path) -> int:
    """Within the new process: bounds, watchers, then the command."""
    most = _virtual() + int(GIGABYTES * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    used = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + used, SECONDS + used))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tempfile.tempdir = None
    sys.dont_write_bytecode = True  # Python's own, whatever the environment says
    logging.basicConfig(format="%(message)s", stream=sys.stderr, force=True)  # not pytest's
    logging.getLogger("diffstn").propagate = True
    file = os.open(seen, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"base {_resident()}\n".encode())
    watch(place.root, file)
    command, *words = case.command.replace("{outside}", str(place.outside)).split(" ")
    words = [word.replace("\N{MIDDLE DOT}", " ") for word in words if word]
    sys.argv = [f"{command}.py"]
    from diffstn.cli.main import run

    return run(command, words)


def watch(root: Path, file: int) -> None:
    """Note whatever this process writes outside `root`, and the programs that it starts."""

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in STARTS:
            words = arguments[1] if event == "subprocess.Popen" else arguments[:1]
            name = str(words[0] if isinstance(words, list | tuple) and words else words)
            if name.rsplit("/", 1)[-1] not in MAY_RUN:
                os.write(file, f"ran {event} {words}\n".encode())
        elif event == "socket.connect":
            os.write(file, f"wrote to the network {arguments[1:]}\n".encode())
        elif event in WRITES and isinstance(arguments[0], str | bytes | os.PathLike):
            flags = arguments[2] if event == "open" else os.O_WRONLY
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not f"{path}/".startswith((f"{root}/", "/dev/", "/proc/")):
                os.write(file, f"wrote {event} {path}\n".encode())

    sys.addaudithook(heard)


def snapshot(root: Path) -> dict[str, Any]:
    """What is where: kind, size and time of every file, and where links lead."""
    found: dict[str, Any] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            seen = os.lstat(path)
            leads = os.readlink(path) if os.path.islink(path) else ""
            is_folder = os.path.isdir(path) and not leads
            times = None if is_folder else (seen.st_size, seen.st_mtime_ns)
            found[os.path.relpath(path, root)] = (seen.st_mode, times, leads)
    return found


def _changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def _may_write(case: Case, name: str) -> bool:
    """Whether a command may write there: below `out`, or below its run."""
    command, _, words = case.command.partition(" ")
    places = ["work/out", "cache"]
    if command == "train":
        places += ["work/runs", "work/sweeps"]
        places += ["work/run"] if "out=run" in words.split(" ") else []
    if command in ("evaluate", "sample"):
        places += [f"work/{command}d", f"work/run/{command[:-1]}ions", "work/run/samples"]
        places += ["work/samples", "work/evaluations", "work/run/evaluations"]
    if name == "canary":
        return True  # counted elsewhere
    return any(name == place or name.startswith(f"{place}/") for place in places)


def _virtual() -> int:
    """Bytes of this process's address space."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _resident() -> float:
    """Megabytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20
