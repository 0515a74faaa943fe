from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from diffstn.errors import UserError
from diffstn.models.optimised import Frozen
from diffstn.runs.assembly import Assembly, make, user_errors
from diffstn.spatial import Affine, Projective

Build = Callable[..., Assembly]


class Part:
    def __init__(self, size: int, name: str = "part") -> None:
        self.size, self.name = size, name


class Whole:
    def __init__(self, part: Part, size: int) -> None:
        self.part, self.size = part, size


def target(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def test_make_gives_constructors_the_parts_they_name(monkeypatch: pytest.MonkeyPatch):
    kinds = {"Part": Part, "Whole": Whole}
    monkeypatch.setattr("diffstn.runs.assembly.get_class", kinds.__getitem__)

    def never() -> Any:
        raise AssertionError("nobody asked for it")

    node = {"_target_": "Whole", "part": {"_target_": "Part", "name": "inner"}}
    whole = make(node, size=lambda: 3, other=never)
    assert (whole.size, whole.part.size, whole.part.name) == (3, 3, "inner")
    assert make({"_target_": "Part", "size": 5}, size=never).size == 5


def test_a_constructors_complaint_becomes_one_line():
    with pytest.raises(UserError, match=r"^thing: too bad$"), user_errors("thing"):
        raise ValueError("too\n  bad")
    with pytest.raises(UserError, match=r"^as it is$"), user_errors("thing"):
        raise UserError("as it is")
    with pytest.raises(KeyError), user_errors("thing"):
        raise KeyError("a bug stays one")


def test_the_model_gets_what_the_data_has(assembly: Build):
    parts = assembly("model=stn", "data/distortion=rts", "model.transformation=projective")
    assert parts.data.canvas == (42, 42)
    assert parts.model.size == (28, 28)
    assert isinstance(parts.model.transformation, Projective)
    assert isinstance(parts.model.target_transformation, Affine)


def test_the_data_is_instant_to_build(assembly: Build, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "diffstn.data.sources.mnist.load_mnist", lambda *_: pytest.fail("read too early")
    )
    assert assembly().data.classes == list("0123456789")


def test_the_optimisers_settings_are_bound(assembly: Build):
    optimizer = assembly("optimizer=sgd", "optimizer.lr=0.25").factory("optimizer")(
        [nn.Parameter(torch.zeros(1))]
    )
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.param_groups[0]["lr"] == 0.25


def test_the_shipped_judge_is_frozen_and_reads_digits(assembly: Build):
    parts = assembly("model=stn", "classifier=frozen", "data.limit_test=500")
    assert isinstance(parts.model.classifier, Frozen)
    assert not parts.model.trains_classifier
    images, labels = parts.data.split("test")
    with torch.no_grad():
        right = parts.model.classifier(images / 255).argmax(-1) == labels
    assert right.double().mean() > 0.98
