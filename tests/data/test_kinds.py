"""Which data a model works with."""

from collections.abc import Callable
from typing import Any

import pytest

from diffstn.data.kinds import Attribute, check_needs, imported_attribute, needs_of
from diffstn.errors import Misfit
from diffstn.signatures import attribute

Compose = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("read", [imported_attribute, attribute])
def test_needs_are_the_model_s_or_its_network_s(config: Compose, read: Attribute):
    assert needs_of(config(), read) == ("distorted",)
    assert needs_of(config("model=ddpm_unet"), read) == ("upright",)
    assert needs_of(config("model=ddpm_sets"), read) == ("clouds",)
    assert needs_of(config("model=gaussian_1d"), read) == ()
    check_needs(config("model=gaussian_1d"), read)
    with pytest.raises(Misfit, match="cannot train on data=stars: it needs images as they are"):
        check_needs(config("model=ddpm_unet", "data=stars"), read)


def test_a_kind_of_one_s_own_is_named():
    config = {
        "model": {"_target_": "diffstn.models.stn.STN"},
        "data": {"_target_": "diffstn.data.modules.stars.Stars"},
        "choices": {"model": "mine", "data": "stars"},
    }
    with pytest.raises(Misfit, match="model=mine cannot train on data=stars: it needs data of the"):
        check_needs(config, lambda target, name: ("songs",) if name == "needs" else "clouds")
