"""The benchmarks import, and those that can be made small print their tables."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from diffstn.build import build_data, load_model
from diffstn.hardware import Hardware
from diffstn.library import compose

FOLDER = Path(__file__).parents[1] / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
SMALL = {
    "attention": "--rounds 1 --batch 1 --sides 2,3",
    "cloud_metrics": "--clouds 4 --points 16 --pairs 2",
    "control": "model=controlnet sampler.steps=1 --minutes 0 --images 4",
    "gradient_noise": "--memory 1 --batches 2 --batch 4 schedule.steps=20 sampler.steps=2",
    "guidance": "--labels 0,1 --interval 200,800 --samples 130 --steps 1 --batch 130",
    "inks": "--limit 20",
    "latency": "--images 1,2 --hypotheses 1,2 --ways torch --seconds 0",
    "correctors": "--limit 6 --batch 2 --calls 1 --rows uncorrected,oracle,shipped",
    "known_generators": "--clouds 4 --points 16",
    "turned_elsewhere": "--limit 20 --hypotheses 1",
    "why_noise": "--steps 2 --walk 2 --samples 20",
}
ROWS = {
    "attention": 2,
    "cloud_metrics": 5 + 1,
    "control": 2,
    "gradient_noise": 3,
    "guidance": 3,
    "inks": 9,
    "latency": 4,
    "correctors": 2 + 2,
    "known_generators": 6,
    "turned_elsewhere": 3 + 3 + 2,
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


@pytest.mark.usefixtures("own_path")
def test_all_correctors_are_asked_about_the_same_images(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """And what was measured is read again; a peer that is not there is left out in one line."""
    monkeypatch.setitem(sys.modules, "equiadapt", None)
    correctors: ModuleType = importlib.import_module("correctors")
    words = f"--limit 40 --batch 2 --rows uncorrected,oracle,opt_group --out {tmp_path}".split()
    seen = []
    median = correctors.median
    monkeypatch.setattr(
        correctors, "median", lambda work, *_: seen.append(work.args[0].image.clone()) or 0.25
    )
    correctors.main(words)
    once = capsys.readouterr().out
    assert "equiadapt is not installed" in once.splitlines()[0]
    assert "opt_group left out" in once.splitlines()[0]
    lines = [[cell.strip() for cell in line.split("|")] for line in once.splitlines()[3:]]
    assert [line[1] for line in lines[2:]] == ["uncorrected", "oracle"]
    assert float(lines[2][5]) < 70 < 95 < float(lines[3][5])  # digits in eight directions
    assert lines[3][6:8] == ["250", "125"]  # milliseconds an image
    assert [len(images) for images in seen] == [1, 2, 1, 2]
    assert torch.equal(seen[1], seen[3])
    monkeypatch.setattr(correctors, "median", median)
    correctors.main(words)
    assert capsys.readouterr().out == once
    with pytest.raises(SystemExit, match="--rows nobody: choose among uncorrected"):
        correctors.main(["--rows", "ours,nobody"])


@pytest.mark.parametrize("kind", ["group", "opt_group", "opt_steerable"])
@pytest.mark.usefixtures("own_path")
def test_a_canonicaliser_of_the_peer_learns_and_is_read_again(tmp_path: Path, kind: str):
    pytest.importorskip("equiadapt")
    canonicalisers: ModuleType = importlib.import_module("canonicalisers")
    data = build_data(compose(["model=classifier", "data=mnist", "data.limit_train=200"]))
    data.setup()
    judge: nn.Module = load_model("pretrained/judge").network  # type: ignore[assignment]
    told = {"seconds": 0, "seed": 1, "channels": 1}
    cpu = Hardware("cpu", "32-true", "")
    first, again = (
        canonicalisers.trained(tmp_path / "one.pt", kind, data, judge, cpu, **told)
        for _ in range(2)
    )
    assert first.steps == again.steps == 1
    assert first.seconds == again.seconds > 0
    images = data.batch("test", torch.arange(4)).image
    with torch.no_grad():
        turned = [one.canonicaliser(images) for one in (first, again)]
    assert turned[0].shape == images.shape
    torch.testing.assert_close(*turned)
