"""What all controls have in common."""

import pytest
import torch

from diffstn.data.controls import Distorted, Edges, Half, LowResolution
from diffstn.data.controls.control import psnr
from diffstn.data.facts import Facts

FACTS = Facts("upright", ("a", "b"), 3, (12, 16), (12, 16))
SIZE = (12, 16)


@pytest.mark.parametrize("control", [Edges(), Half(), LowResolution(), Distorted()])
def test_channels_size_and_range_are_what_was_said(control):
    images = torch.rand(4, 3, 12, 16)
    made = control(images, SIZE, torch.arange(4) % control.variants)
    assert made.shape == (4, control.channels(FACTS), *SIZE)
    assert 0 <= made.min() <= made.max() <= 1
    shown = control.shown(made)
    assert shown.shape[0] == 4
    assert shown.shape[1] in (1, 3)
    for value in control.fidelity(images, made).values():
        assert value.shape == (4,)


def test_psnr_agrees_with_its_formula():
    one, other = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    expected = -10 * (one - other).square().mean((1, 2, 3)).log10()
    torch.testing.assert_close(psnr(one, other), expected)
    weight = torch.zeros(2, 1, 4, 4)
    weight[..., 0, 0] = 1
    expected = -10 * (one - other)[..., 0, 0].square().mean(1).log10()
    torch.testing.assert_close(psnr(one, other, weight), expected)
    assert (psnr(one, one) == 60).all()
