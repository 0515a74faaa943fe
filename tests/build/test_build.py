"""From a configuration to objects, with nothing known by name."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from diffstn.build import Built, asks_for, build_model, fitted, instantiated, user_errors
from diffstn.build.model import needed
from diffstn.data.facts import Facts
from diffstn.errors import Misfit, UserError
from diffstn.networks.frozen import Frozen
from diffstn.spatial import Affine, Projective

HERE = __name__
Build = Callable[..., Built]


class Part(nn.Module):
    def __init__(self, size: int, name: str = "part", **more: Any) -> None:
        super().__init__()
        self.size, self.name, self.more = size, name, more


class Whole(pl.LightningModule):
    def __init__(self, facts: Facts, part: Any, whole: Part, scale: float, word: str = "") -> None:
        super().__init__()
        self.facts, self.part, self.whole = facts, part(size=facts.dim), whole
        self.scale, self.word = scale, word


def part(size: int) -> Part:
    return Part(size)


def node(kind: Any, **settings: Any) -> dict[str, Any]:
    return {"_target_": f"{kind.__module__}.{kind.__qualname__}", **settings}


def test_a_model_gets_by_name_what_stands_in_the_configuration():
    config = {
        "model": node(Whole, scale=2.0),
        "part": node(Part, _partial_=True, name="inner"),
        "whole": node(Part, size=7),
        "word": "hello",
        "other": {"_target_": "nobody.asked.for.It"},
    }
    model: Any = build_model(config, Facts("points", dim=3))
    assert (model.part.size, model.part.name) == (3, "inner")
    assert (model.whole.size, model.scale, model.word) == (7, 2.0, "hello")
    assert model.facts.dim == 3
    assert set(needed(config)) == {"model", "part", "whole", "word"}


def test_a_missing_part_is_named_in_one_line():
    with pytest.raises(UserError, match=r"^model=Whole: .*missing.*'part'"):
        build_model({"model": node(Whole, scale=2.0)}, Facts("points"))


def test_fitted_gives_what_is_asked_for():
    factory = functools.partial(Part, name="bound")
    assert asks_for(factory) == {"size"}
    assert fitted(factory, size=3, classes=5).size == 3
    assert fitted(part, size=4, steps=2).size == 4
    with pytest.raises(Misfit, match="does not take 'dim'") as caught:
        fitted(factory, must=("size", "dim"), size=3, dim=2)
    assert not caught.value.fits("diffstn.networks.encoders.fc.FCEncoder")
    assert caught.value.fits("diffstn.data.facts.Facts")


def test_a_factory_knows_the_group_that_it_came_from():
    factory = instantiated(node(Part, _partial_=True), "network")
    with pytest.raises(Misfit) as caught:
        fitted(factory, must=("dim",))
    assert caught.value.group == "network"


def test_a_constructors_complaint_becomes_one_line():
    with pytest.raises(UserError, match=r"^thing: too bad$"), user_errors("thing"):
        raise ValueError("too\n  bad")
    with pytest.raises(UserError, match=r"^as it is$"), user_errors("thing"):
        raise UserError("as it is")
    with pytest.raises(KeyError), user_errors("thing"):
        raise KeyError("a bug stays one")
    with pytest.raises(UserError, match=r"^optimizer: Invalid learning rate"):
        instantiated({"_target_": "torch.optim.SGD", "params": [], "lr": -1.0}, "optimizer")


def test_the_model_gets_what_the_data_has(built: Build):
    parts = built("model=stn", "data/distortion=rts", "model.transformation=projective")
    assert parts.data.facts.canvas == (42, 42)
    model: Any = parts.model
    assert model.size == (28, 28)
    assert isinstance(model.transformation, Projective)
    assert isinstance(model.target_transformation, Affine)


def test_the_data_is_instant_to_build(built: Build, monkeypatch: pytest.MonkeyPatch):
    def read(*_: Any) -> None:
        pytest.fail("read too early")

    parts = built()
    monkeypatch.setattr("diffstn.data.sources.mnist.load_mnist", read)
    assert built().data.facts.classes == parts.data.facts.classes == tuple("0123456789")


def test_the_optimisers_settings_are_bound(built: Build):
    model: Any = built("optimizer=sgd", "optimizer.lr=0.25").model
    optimizer = model.optimizer_factory([nn.Parameter(torch.zeros(1))])
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.param_groups[0]["lr"] == 0.25


def test_the_shipped_judge_is_frozen_and_reads_digits(built: Build):
    parts = built("model=stn", "classifier=frozen", "data.limit_test=500")
    model: Any = parts.model
    assert isinstance(model.classifier, Frozen)
    assert not model.trains_classifier
    images, labels = parts.data.split("test")
    with torch.no_grad():
        right = model.classifier(images / 255).argmax(-1) == labels
    assert right.double().mean() > 0.98
