"""What controls show of an image, and how samples are held against them."""

import pytest
import torch

from diffstn.data.controls import Distorted, Edges, Half, LowResolution
from diffstn.data.controls.control import psnr
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.spatial import affine_matrix, invert, moment_frame, warp

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


def test_a_step_has_an_edge_on_both_its_sides_and_a_ramp_none():
    step = torch.zeros(1, 1, 6, 8)
    step[..., 4:] = 1
    edges = Edges()(step, (6, 8))
    assert edges[0, 0, 2].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]
    assert torch.equal(Edges()(step.mT, (8, 6)), edges.mT)
    assert torch.equal(Edges()(1 - step, (6, 8)), edges)
    ramp = torch.linspace(0, 1, 8).expand(1, 1, 6, 8)
    assert not Edges()(ramp, (6, 8)).any()
    assert Edges(threshold=0.1)(ramp, (6, 8)).any()


def test_f1_counts_hits():
    image = torch.zeros(1, 1, 8, 8)
    image[..., 2:5, 2:5] = 1
    control = Edges()(image, (8, 8))
    assert float(Edges().fidelity(image, control)["edges F1 %"]) == 100
    found, asked = Edges()(image.roll(2, -1), (8, 8)), control
    expected = 200 * float((found * asked).sum() / (found.sum() + asked.sum()))
    assert float(Edges().fidelity(image.roll(2, -1), control)["edges F1 %"]) == pytest.approx(
        expected
    )
    nothing = torch.zeros(1, 1, 8, 8)
    assert float(Edges().fidelity(nothing, nothing)["edges F1 %"]) == 100
    assert float(Edges().fidelity(nothing, control)["edges F1 %"]) == 0


@pytest.mark.parametrize("threshold", [0.0, 1.5])
def test_a_threshold_that_nothing_can_pass_is_refused(threshold):
    with pytest.raises(UserError, match="a gradient lies between 0 and"):
        Edges(threshold)


def test_each_half_is_hidden_in_turn():
    images = torch.rand(4, 1, 6, 8) + 0.1
    seen = Half()(images, (6, 8), torch.arange(4))
    mask = seen[:, 1:]
    assert mask.sum((1, 2, 3)).tolist() == [24] * 4
    assert torch.equal(seen[:, :1], images * mask)
    assert not mask[0, 0, :3].any()
    assert not mask[1, 0, 3:].any()
    assert not mask[2, 0, :, :4].any()
    assert not mask[3, 0, :, 4:].any()
    alone = Half("left")
    assert alone.variants == 1
    assert torch.equal(alone(images[:1], (6, 8)), Half()(images[:1], (6, 8), torch.tensor([2])))
    assert (Half().shown(seen)[0, 0, :3] == 0.5).all()
    with pytest.raises(UserError, match="top, bottom, left, right or any"):
        Half("middle")


def test_only_the_half_that_was_seen_is_compared():
    images = torch.rand(1, 1, 6, 8)
    seen = Half("top")(images, (6, 8))
    other = images.clone()
    other[:, :, :3] = 0
    assert float(Half("top").fidelity(other, seen)["seen half PSNR dB"]) == 60
    other[:, :, 3:] = 1 - other[:, :, 3:]
    assert float(Half("top").fidelity(other, seen)["seen half PSNR dB"]) < 15


def test_few_pixels_are_means_of_squares():
    images = torch.rand(2, 3, 12, 16)
    few = LowResolution(4)(images, SIZE)
    torch.testing.assert_close(few[0, 1, 4:8, 8:12], images[0, 1, 4:8, 8:12].mean().expand(4, 4))
    assert float(LowResolution(4).fidelity(images, few)["low resolution PSNR dB"].min()) == 60
    with pytest.raises(UserError, match="divide the sides, 12 x 16"):
        LowResolution(5).channels(FACTS)


def test_the_frame_undoes_shift_and_size():
    image = torch.zeros(1, 1, 28, 28)
    image[..., 8:20, 11:15] = 1
    A = affine_matrix(torch.tensor([0.0]), 0.8, 0.8, 0.2, -0.1)
    there = warp(image, invert(A).flatten(1))
    plain, framed = Distorted("none"), Distorted("moments")
    assert torch.equal(framed(image, (28, 28)), warp(image, moment_frame(image)))
    torch.testing.assert_close(plain(there, (28, 28)), there)
    apart = {
        name: float((one(there, (28, 28)) - one(image, (28, 28))).square().mean())
        for name, one in (("plain", plain), ("framed", framed))
    }
    assert apart["framed"] < 0.2 * apart["plain"]
    large = torch.nn.functional.pad(image, (7, 7, 7, 7))
    assert plain(large, (28, 28)).shape == framed(large, (28, 28)).shape == image.shape
    with pytest.raises(ValueError, match="choose none, moments"):
        Distorted("mirror")
