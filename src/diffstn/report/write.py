"""`diffstn report RUN|SWEEP|RUN RUN …`: which folders, and where the page goes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diffstn.errors import UserError
from diffstn.report.differences import differences
from diffstn.report.html import plain
from diffstn.report.inside import write_text
from diffstn.report.page import BEGINS, page
from diffstn.report.recorded import Recorded, recorded
from diffstn.report.summary import check_ours, jobs_of, summary_of
from diffstn.report.sweep_figure import searched
from diffstn.store.run_folder import PRETRAINED
from diffstn.words import closest

NAME = "report.html"
MOST_RUNS = 256
HELP = f"""diffstn report RUN | SWEEP | RUN RUN … [out=FILE.html | out=FOLDER]

Writes one self-contained {NAME}: of a run into its folder, of a sweep into its folder, with
summary.csv, summary.md and summary.png made anew, of several runs into the current folder."""


@dataclass(frozen=True)
class Asked:
    """Folders that a report is asked of.

    Args:
        runs: of them all.
        sweep: the folder that holds them, if it was named alone.
        problems: what was left out, a line each.
    """

    runs: list[Path]
    sweep: Path | None
    problems: list[str]


def report(words: Sequence[str]) -> list[Path]:
    """Write what the words ask for; return the files.

    Raises:
        UserError: there is no run or sweep, or something is in the way.
    """
    names = [word for word in words if not word.startswith("out=")]
    given = [word.removeprefix("out=") for word in words if word.startswith("out=")]
    if stray := [word for word in names if "=" in word and not Path(word).exists()]:
        raise UserError(f"'{plain(stray[0], 200)}': a report takes folders and out=, nothing else")
    if not names:
        raise UserError("which run? pass its folder: diffstn report runs/NAME")
    asked = folders(names)
    default = Path() if len(asked.runs) > 1 or _is_shipped(asked.runs[0]) else asked.runs[0]
    target = _target(given[-1] if given else None, asked.sweep or default)
    check_ours(target, BEGINS)
    try:
        return _written(asked, target)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError(f"{target} cannot be written ({reason}); choose out=") from None


def end_with_report(run: Path, log: logging.Logger) -> None:
    """Write the report of a run that has ended; what stands in the way is a line in its log."""
    try:
        log.info("report: %s", report([str(run.absolute())])[-1])
    except Exception as error:  # a run that is done does not fail for its report
        log.warning("no report: %s", " ".join(str(error).split()) or type(error).__name__)


def _written(asked: Asked, target: Path) -> list[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    runs = [recorded(path) for path in asked.runs]
    runs = numbered(runs) if asked.sweep else named(runs)
    written: list[Path] = []
    figure = None
    if asked.sweep:
        _, _, written = summary_of(runs, asked.sweep)
        if searched(differences(runs)):  # curves the page has of its own
            figure = next((path for path in written if path.suffix == ".png"), None)
    title = runs[0].name if len(runs) == 1 else f"{len(runs)} runs"
    if asked.sweep:
        title = f"{asked.sweep.resolve().name}: {title}" if len(runs) > 1 else title
    text = page(runs, plain(title, 200), target.parent, figure, asked.problems)
    return [*written, write_text(target, text)]


def folders(names: Sequence[str]) -> Asked:
    """The runs that were named, each once; those of a sweep are its jobs.

    Raises:
        UserError: a name is that of no run and no sweep, or they are too many.
    """
    runs: dict[Path, Path] = {}
    problems: list[str] = []
    sweep = None
    for name in names:
        path = _run(name)
        if path is not None:
            found = [path]
        else:
            found, outside = _jobs(Path(name))
            problems += outside
            sweep = Path(name) if len(names) == 1 else None
        if not found:
            raise UserError(_nothing(name))
        runs |= {one.resolve(): one for one in found}
    if len(runs) > MOST_RUNS:
        raise UserError(f"{len(runs)} runs are too many for a page: name {MOST_RUNS} at most")
    return Asked(list(runs.values()), sweep, problems)


def _run(name: str) -> Path | None:
    """The folder of a run, or of one that ships; None if it is none."""
    path = Path(name)
    if path.parts[:1] == ("pretrained",) and not path.exists():
        path = PRETRAINED / path.name
    try:
        if path.name in ("config.yaml", NAME) and path.is_file():
            path = path.parent
        return path if any((path / f).is_file() for f in ("config.yaml", "status.json")) else None
    except (OSError, ValueError):  # a name that is too long, or of zero bytes
        return None


def _jobs(path: Path) -> tuple[list[Path], list[str]]:
    try:
        return jobs_of(path) if path.is_dir() else ([], [])
    except (OSError, ValueError):  # as above, or a folder that may not be read
        return [], []


def _is_shipped(path: Path) -> bool:
    return PRETRAINED.resolve() in path.resolve().parents


def _nothing(name: str) -> str:
    """What to say of a path that is no run."""
    path = Path(name)
    said = plain(name, 200)
    try:
        if path.is_dir():
            return f"{said} holds no run and no jobs of a sweep; name the folder of a run"
        beside = [str(one) for one in path.parent.iterdir() if one.is_dir() and _run(str(one))]
    except (OSError, ValueError):
        beside = []
    hint = closest(name, sorted(beside)[:2000]) if beside else "name the folder of a run"
    return f"{said}: no run there; {hint}"


def _target(out: str | None, folder: Path) -> Path:
    """The file to write."""
    if out is None:
        return folder / NAME
    if not out:
        raise UserError("out= is empty; pass a folder or a file that ends in .html")
    path = Path(out)
    return path if path.suffix.lower() in (".html", ".htm") else path / NAME


def numbered(runs: list[Recorded]) -> list[Recorded]:
    """Jobs of a sweep by their number and what is particular to them: folders' names are long."""
    found = differences(runs)
    for index, run in enumerate(runs):
        number, label = run.path.name.split("-")[0], found.label(index, seed=True)
        if number.isdecimal() and label:
            run.name = f"{number}: {label}"
    return runs


def named(runs: list[Recorded]) -> list[Recorded]:
    """Runs with names that tell them apart: their folders', or their paths where those recur."""
    names = [run.name for run in runs]
    for run in runs:
        if names.count(run.name) > 1:
            run.name = str(run.path)
    return runs
