from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from diffstn.runs.overrides import (
    apply_overrides,
    check_overrides,
    closest,
    combinations,
    groups,
    keys,
    parse,
)

from diffstn.errors import UserError

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epoch=3", "no setting 'epoch'; did you mean epochs?"),
        ("lr=0.1", "no setting 'lr'; did you mean optimizer.lr?"),
        ("optimizer.rl=0.1", "no setting 'optimizer.rl'; did you mean optimizer.lr?"),
        ("data.batchsize=3", "no setting 'data.batchsize'; did you mean data.batch_size?"),
        ("batch_size=3", "did you mean data.batch_size?"),
        ("modle=stn", "no setting 'modle'; did you mean model?"),
        ("model=snt", "model=snt: no such choice; did you mean stn?"),
        ("data/distortion=ful", "did you mean full?"),
        ("data.distortion=full", "write data/distortion=full"),
        ("schedule=cosin", "did you mean cosine?"),
        ("experiment=paper/diff_in", "did you mean paper/diff_in_stn?"),
        ("zzz=1", "no setting 'zzz'; there are: "),
    ],
)
def test_a_slip_names_the_nearest_valid_name(override: str, message: str):
    with pytest.raises(UserError) as caught:
        check_overrides(CONF, "train", [override])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "override",
    [
        "epochs=3",
        "model=stn",
        "experiment=paper/stn",
        "data.distortion.rotation=3",
        "+network.extra=3",
        "hydra.sweep.dir=here",
    ],
)
def test_valid_overrides_pass(override: str):
    check_overrides(CONF, "train", [override])


def test_keys_of_the_chosen_group_are_known():
    check_overrides(CONF, "train", ["model=stn", "model.cascade=2"])
    with pytest.raises(UserError, match=r"no setting 'model\.cascade'"):
        check_overrides(CONF, "train", ["model=diff_in_stn", "model.cascade=2"])


@pytest.mark.parametrize("word", ["epochs", "epochs 3", "a=b=[c"])
def test_what_is_no_override_is_refused(word: str):
    with pytest.raises(UserError, match="is no override; write key=value"):
        parse([word])


def test_groups_are_folders_and_experiments_have_paths():
    found = groups(CONF)
    assert {"paper", "full", "rts"} <= set(found["data/distortion"])
    assert "distortion" not in {name.split("/")[0] for name in found["data"]}
    assert {"paper/stn", "paper/diff_in_stn"} <= set(found["experiment"])
    assert not any(group.startswith("experiment/") for group in found)


def test_combinations_of_a_sweep():
    sweep = parse(["model=stn,diff_in_stn", "seed=range(1,3)", "epochs=2"])
    assert list(combinations(sweep)) == [
        [f"model={model}", f"seed={seed}", "epochs=2"]
        for model in ("stn", "diff_in_stn")
        for seed in (1, 2)
    ]


def test_keys_and_closest():
    assert list(keys({"a": {"b": 1}, "c": 2})) == ["a", "a.b", "c"]
    assert closest("zeta", ["alpha"]) == "there are: alpha"


def test_a_finished_configuration_is_changed(config: Callable[..., dict[str, Any]]):
    stored = {**config(), "choices": {"data/distortion": "paper", "sampler": "ddim"}}
    changed = apply_overrides(
        stored, ["data/distortion=full", "sampler.steps=20", "seed=9", "schedule=linear"], CONF
    )
    assert changed["data"]["distortion"]["rotation"] == 180
    assert changed["choices"]["data/distortion"] == "full"
    assert changed["sampler"]["steps"] == 20
    assert changed["schedule"]["_target_"].endswith("Linear")
    assert stored["sampler"]["steps"] == config()["sampler"]["steps"]
    with pytest.raises(UserError, match=r"did you mean sampler.steps\?"):
        apply_overrides(stored, ["sampler.step=20"], CONF)
    with pytest.raises(UserError, match=r"did you mean full\?"):
        apply_overrides(stored, ["data/distortion=fulll"], CONF)


@pytest.mark.parametrize(
    "words",
    [
        ["data/distortion=rotation", "data=affine_mnist"],
        ["data=affine_mnist", "data/distortion=rotation"],
    ],
)
def test_a_group_within_another_goes_after_it(
    config: Callable[..., dict[str, Any]], words: list[str]
):
    stored = {**config(), "choices": {"data": "affine_mnist", "data/distortion": "full"}}
    changed = apply_overrides(stored, words, CONF)
    assert changed["choices"]["data/distortion"] == "rotation"
    assert changed["data"]["distortion"]["rotation"] == 90


def test_a_new_group_brings_the_choices_within(config: Callable[..., dict[str, Any]]):
    stored = {**config("data/distortion=full"), "choices": {"data/distortion": "full"}}
    changed = apply_overrides(stored, ["data=affine_mnist"], CONF)
    assert changed["data"]["distortion"]["rotation"] == 45
    assert changed["choices"]["data/distortion"] == "paper"


@pytest.mark.parametrize(
    ("word", "message"),
    [("logger=null", "logger=null: no such choice"), ("~optimizer", "nothing can be left out")],
)
def test_groups_cannot_be_emptied(word: str, message: str):
    with pytest.raises(UserError, match=message):
        check_overrides(CONF, "train", [word])


def test_another_sampler_keeps_what_belongs_to_the_model(config: Callable[..., dict[str, Any]]):
    stored = {**config("model=ddpm_unet"), "choices": {"sampler": "ddpm"}}
    stored["sampler"]["clip_quantile"] = 0.9
    sampler = apply_overrides(stored, ["sampler=ddim"], CONF)["sampler"]
    assert sampler["_target_"].endswith("DDIM")
    assert (sampler["clip"], sampler["clip_quantile"]) == (1.0, 0.9)
    assert sampler["steps"] == 10  # of the new sampler's own file
    unclipped = apply_overrides(stored, ["sampler.clip=null", "sampler=ddim"], CONF)["sampler"]
    assert unclipped["clip"] is None
