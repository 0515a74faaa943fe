"""Which network looks at generated images."""

import pytest
import torch

from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.tasks.features import choose_features

GREY, COLOUR = Facts("upright", channels=1), Facts("upright", channels=3)


def test_judges_look_at_images_of_their_kind_alone():
    with pytest.raises(UserError, match="channels"):
        choose_features("judge", COLOUR)
    colour = choose_features(None, COLOUR)
    assert colour.name == "cifar_judge"
    assert colour(torch.rand(2, 3, 32, 32)).features.shape == (2, colour.size)
    features = choose_features("judge", GREY)
    assert features.classes == tuple("0123456789")
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        features(2 * torch.rand(2, 1, 28, 28))
    with pytest.raises(ValueError, match="expected float"):
        features(torch.rand(2, 3, 28, 28))


def test_a_run_that_is_no_classifier_is_refused():
    with pytest.raises(UserError, match="is no classifier of 1-channel images; choose judge"):
        choose_features("pretrained/mnist_unet", GREY)


def test_inception_without_its_weights_says_where_to_get_them():
    with pytest.raises(UserError, match=r"no such file|pip install"):
        choose_features("inception", COLOUR, "nowhere.pth")
