"""A finished configuration, changed by words."""

from collections.abc import Callable
from typing import Any

import pytest

from diffstn.cli.overrides import apply_overrides
from diffstn.errors import UserError

Compose = Callable[..., dict[str, Any]]


def test_a_finished_configuration_is_changed(config: Compose):
    stored = config()
    words = ["data/distortion=full", "sampler.steps=20", "seed=9", "schedule=linear"]
    changed = apply_overrides(stored, words)
    assert changed["data"]["distortion"]["rotation"] == 180
    assert changed["choices"]["data/distortion"] == "full"
    assert changed["sampler"]["steps"] == 20
    assert changed["schedule"]["_target_"].endswith("Linear")
    assert stored["sampler"]["steps"] == config()["sampler"]["steps"]


def test_what_follows_a_key_still_does(config: Compose):
    changed = apply_overrides(config(), ["epochs=9", "validate_every=3"])
    assert changed["trainer"]["max_epochs"] == 9
    assert changed["trainer"]["check_val_every_n_epoch"] == 3


@pytest.mark.parametrize(
    "words",
    [
        ["data/distortion=rotation", "data=affine_mnist"],
        ["data=affine_mnist", "data/distortion=rotation"],
    ],
)
def test_a_group_within_another_goes_after_it(config: Compose, words: list[str]):
    changed = apply_overrides(config("data/distortion=full"), words)
    assert changed["choices"]["data/distortion"] == "rotation"
    assert changed["data"]["distortion"]["rotation"] == 90


def test_a_new_group_brings_the_choices_within(config: Compose):
    changed = apply_overrides(config("data/distortion=full"), ["data=affine_mnist"])
    assert changed["data"]["distortion"]["rotation"] == 45
    assert changed["choices"]["data/distortion"] == "paper"


def test_another_sampler_keeps_what_belongs_to_the_model(config: Compose):
    stored = config("model=ddpm_unet", "model.clip_quantile=0.9")
    changed = apply_overrides(stored, ["sampler=ddim"])
    assert changed["sampler"]["_target_"].endswith("DDIM")
    assert changed["sampler"]["steps"] == 10  # of the new sampler's own file
    assert (changed["model"]["clip"], changed["model"]["clip_quantile"]) == ("auto", 0.9)


def test_groups_that_settle_another_s_keys_are_merged(config: Compose):
    changed = apply_overrides(config("trainer.max_steps=7"), ["accelerator=ddp"])
    assert changed["trainer"]["strategy"] == "ddp"
    assert changed["trainer"]["max_steps"] == 7


def test_callbacks_and_loggers_are_added(config: Compose):
    changed = apply_overrides(
        config("logger=tensorboard"), ["+callbacks=lr_monitor", "logger=wandb"]
    )
    assert set(changed["logger"]) == {"tensorboard", "wandb"}
    assert set(changed["callbacks"]) == {"lr_monitor"}


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("sampler.step=20", "did you mean sampler.steps?"),
        ("data/distortion=fulll", "did you mean full?"),
        ("model=stn", "a run keeps its model"),
        ("experiment=paper/stn", "a run keeps its experiment"),
        ("seed=1,2", "is a sweep; only train.py -m runs those"),
        ("~sampler", "a run keeps what it has"),
    ],
)
def test_what_cannot_be_is_refused(config: Compose, word: str, message: str):
    with pytest.raises(UserError) as caught:
        apply_overrides(config(), [word])
    assert message in str(caught.value)
