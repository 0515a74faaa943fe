"""The benchmarks import, and those that can be made small print their tables."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
SMALL = {
    "attention": "--rounds 1 --batch 1 --sides 2,3",
    "cloud_metrics": "--clouds 4 --points 16 --pairs 2",
    "control": "model=controlnet sampler.steps=1 --minutes 0 --images 4",
    "latency": "--images 1,2 --hypotheses 1,2 --ways torch --seconds 0",
    "known_generators": "--clouds 4 --points 16",
    "why_noise": "--steps 2 --walk 2 --samples 20",
}
ROWS = {
    "attention": 2,
    "cloud_metrics": 5 + 1,
    "control": 2,
    "latency": 4,
    "known_generators": 6,
    "why_noise": 5 + 5,
}


@pytest.fixture
def own_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lets benchmarks import one another, as they do when they are run, and forgets them after."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name in NAMES:
            del sys.modules[name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("own_path")
def test_it_imports(name: str):
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.usefixtures("own_path")
def test_it_prints_its_rows(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    importlib.import_module(name).main(SMALL[name].split())
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    rules = [i for i, line in enumerate(lines) if set(line) == {"|", "-"}]
    assert len(lines) - 2 * len(rules) == ROWS[name]
    assert len({line.count("|") for line in lines[: rules[0] + 2]}) == 1


@pytest.mark.usefixtures("own_path")
def test_no_round_begins_that_would_end_too_late():
    turns: ModuleType = importlib.import_module("turns")
    calls, told = [0, 0], []

    def work(i: int) -> None:
        calls[i] += 1

    works = [lambda: work(0), lambda: work(1)]
    best = turns.fastest(works, rounds=9, times=3, seconds=0, first=lambda i, found: told.append(i))
    assert calls == [4, 4]  # once to warm up, and the first round
    assert told == [0, 1]
    assert len(best) == 2
    turns.fastest(works, rounds=2, times=3, seconds=60)
    assert calls == [11, 11]
