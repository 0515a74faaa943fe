"""Hostile inputs are refused in a line, skipped by name, or harmless; all of them with `slow`."""

import sys
from pathlib import Path

import pytest

from tests.hostile.case import Case
from tests.hostile.good import quick
from tests.hostile.inputs import GROUPS
from tests.hostile.trial import tried

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are watched by /proc")

FEW = {
    "numbers": ["train … optimizer=sgd optimizer.momentum=5"],
    "places": ["the log leads outside"],
    "config.yaml, bytes": ["config.yaml: a bomb"],
    "config.yaml, code": ["encoder: {'_target_': 'diffstn.located.located', "],
    "writing elsewhere": ["a callback writes to ../outside"],
    "other files of a run": ["metrics.csv is a pipe"],
    "checkpoints": ["best.ckpt, weights: 4 TB that are one number"],
    "images": ["postscript.png"],
    "clouds": ["a texture without end"],
    "CIFAR-10's files": ["CIFAR-10: a payload"],
}
"""Of most kinds the worst; bombs take seconds to be found out."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


def named(group: str, name: str) -> Case:
    return next(case for case in GROUPS[group] if case.name == name)


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group, names in FEW.items() for name in names]
)
def test_the_worst_come_to_nothing(runs: dict[str, Path], group: str, name: str):
    assert not tried(named(group, name), runs).wrong


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_all_of_them_come_to_nothing(runs: dict[str, Path], group: str):
    wrong = [(case.name, tried(case, runs).wrong) for case in GROUPS[group]]
    assert not [one for one in wrong if one[1]]


def test_there_are_enough_and_no_two_alike():
    every = [(group, case.name, case.command) for group, cases in GROUPS.items() for case in cases]
    assert len(every) >= 200
    assert len(set(every)) == len(every)


def test_a_trial_tells_what_is_wrong(runs: dict[str, Path]):
    """The judge itself: code that runs, files elsewhere, words that are many."""
    from tests.hostile.case import Answer, file

    code = "import os\nopen(os.environ['CANARY'], 'w')\nos.mkdir('/elsewhere/x')\n"
    evil = Case(
        "evil",
        "train model=stn out=out --config-dir conf +callbacks=evil",
        prepare=(
            file("conf/callbacks/evil.yaml", "evil: {_target_: mine.Evil}"),
            file("mine.py", code),
        ),
    )
    verdict = tried(evil, runs)
    assert verdict.ran == ["the payload"]
    assert verdict.outside == ["os.mkdir /elsewhere/x"]
    assert verdict.wrong == "ran the payload"
    fine = Case("fine", "evaluate --help", Answer.REFUSED)
    assert tried(fine, runs).wrong.startswith("accepted: ")
