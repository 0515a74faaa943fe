"""What source files say of constructors, beside what the constructors themselves say."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from diffstn.annotations import fits, parameters, takes_any
from diffstn.cli.conf import CONF
from diffstn.located import located
from diffstn.signatures import Unread, attribute, defined_in, signature

VALUES = (1, 0, -1, 1.5, "x", "mean", "test", True, None, [1], [0.9, 0.9], ["a"], {"a": 1})
UNREAD = "diffstn.data.modules.from_source."
"""Objects that are called like functions, whose source says nothing."""


def targets(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield str(node["_target_"])
        for value in node.values():
            yield from targets(value)


OURS = sorted(
    {
        target
        for path in CONF.rglob("*.yaml")
        for target in targets(yaml.safe_load(path.read_text()))
        if target.startswith(("diffstn.", "torch.")) and not target.startswith(UNREAD)
    }
)


@pytest.mark.parametrize("target", OURS)
def test_they_say_the_same(target: str):
    """Names, and for each name no value is refused that the signature itself would let pass."""
    known = signature(target)
    if known is None:
        assert target.startswith("diffstn.data.")
        return
    exact = parameters(located(target))
    assert known.parameters.keys() == exact.keys()
    assert known.takes_any == takes_any(located(target))
    for name, kind in known.parameters.items():
        for value in VALUES:
            assert fits(value, kind) or not fits(value, exact[name]), (name, value)


def test_most_of_them_are_read():
    unread = [target for target in OURS if signature(target) is None]
    assert len(OURS) > 50
    assert len(unread) <= 4
    vague = [n for t in OURS if (s := signature(t)) for n, k in s.parameters.items() if k is Any]
    assert len(vague) < 40


def test_what_cannot_be_read_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "strange.py").write_text(
        "from elsewhere import Base\n"
        "class Child(Base):\n    def __init__(self, size: int, **more): ...\n"
        "class Twice(Child, dict): ...\n"
        "class Own:\n    def __init__(self, size: 'int | None', what: Base, *, rate=1.0): ...\n"
        "made = Own(1, 2)\n"
        "def anything(): ...\n"
        "answer = anything()\n"
        "class Needy:\n    needs = tuple(sorted('ab'))\n"
    )
    (tmp_path / "slip.py").write_text("class Slip(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("strange.Needy", "slip.Slip"):
        with pytest.raises(Unread):
            attribute(name, "needs")
    assert signature("slip.Slip") is None
    assert defined_in("strange.made") == defined_in("strange.Own") == "strange"
    assert defined_in("strange.answer") is None
    for name in ("strange.Child", "strange.Twice", "strange.made", "strange.Nobody", "nowhere.X"):
        assert signature(name) is None
    own = signature("strange.Own")
    assert own is not None
    assert own.parameters == {"size": int | None, "what": Any, "rate": Any}
    assert "strange" not in sys.modules


@pytest.mark.parametrize("name", ["needs", "kind"])
def test_attributes_are_those_of_the_classes(name: str):
    read = 0
    for path in CONF.rglob("*.yaml"):
        for target in targets(yaml.safe_load(path.read_text())):
            with suppress(Unread):
                if target.startswith("diffstn."):
                    assert attribute(target, name) == getattr(located(target), name, None), target
                    read += 1
    assert read > 70


def test_a_wrong_value_is_refused_before_torch_is_imported():
    code = (
        "import sys; from diffstn.cli.train import train_command;"
        "assert train_command(['optimizer.lr=fast']) == 2;"
        "assert train_command(['model=stn', '+schedule.steps=3']) == 2;"
        "assert train_command(['data=mnist']) == 2;"
        "assert not {'torch', 'pytorch_lightning'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "error: optimizer.lr=fast: must be a number" in done.stderr
    assert "use data=affine_cifar10, affine_image_folder or affine_mnist" in done.stderr
    assert "error: schedule has no effect: model=stn makes no use of it" in done.stderr
