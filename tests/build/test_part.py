"""A trained model as a part of another."""

from typing import Any

import pytest
import torch

from diffstn.build import kept_of, load_model, part, with_part
from diffstn.errors import UserError
from diffstn.library import compose

JUDGE = "pretrained/judge"


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return kept_of(JUDGE)


def test_what_is_kept_builds_the_model_without_its_weights(kept: dict[str, Any]):
    images = torch.rand(3, 1, 28, 28)
    there: Any = load_model(JUDGE)
    from_folder, brought = part(JUDGE)
    assert brought
    assert torch.equal(from_folder.network(images), there.network(images))
    from_kept, brought = part(JUDGE, kept)
    assert not brought
    assert from_kept.facts == there.facts
    from_kept.load_state_dict(there.state_dict())
    assert torch.equal(from_kept.eval().network(images), there.network(images))


def test_a_run_of_an_older_version_kept_its_data(kept: dict[str, Any]):
    config = {**kept["config"], "data": compose(["data=mnist"])["data"]}
    model, _ = part(JUDGE, {"run": JUDGE, "facts": None, "config": config})
    assert model.facts.classes == part(JUDGE, kept).model.facts.classes


def test_what_was_kept_of_another_run_counts_for_nothing(kept: dict[str, Any]):
    with pytest.raises(UserError, match="nowhere"):
        part("nowhere", kept)
    node = {"_target_": "x", "run": JUDGE}
    assert with_part(node) == with_part({**node, "kept": {"run": "nowhere"}})
    assert with_part(node) == {**node, "kept": kept}


def test_what_is_kept_already_needs_no_folder():
    node = {"run": "nowhere", "kept": {"run": "nowhere", "facts": {}, "config": {}}}
    assert with_part(node) == node


def test_the_setting_that_names_a_run_is_named():
    with pytest.raises(UserError, match=r"model\.members=nowhere"):
        kept_of("nowhere", "model.members")
