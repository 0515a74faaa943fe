"""Convolutions over the plane and its rotations."""

import math

import pytest
import torch

from diffstn.networks.blocks.group_convolution import GroupConvolution, steerable_basis

QUARTER = 2
"""Turns by 45° in one by 90°."""


def passed_on(h: torch.Tensor, turns: int, quarters: int) -> torch.Tensor:
    """What maps (B, C · N, H, W) become where the image is turned by so many times 90°."""
    turned = torch.rot90(h, quarters, (2, 3)).unflatten(1, (-1, turns))
    return turned.roll(-quarters * turns // 4, dims=2).flatten(1, 2)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_a_quarter_turn_of_the_basis_is_one_of_the_pixels(size: int):
    basis = steerable_basis(size, 8)
    assert basis.shape == (8, 1 + sum(2 * r + 3 for r in range(1, size // 2 + 1)), size, size)
    turned = torch.rot90(basis[0], -1, (1, 2))  # from x to y, where y points down
    torch.testing.assert_close(basis[QUARTER], turned, rtol=0, atol=1e-5)
    norms = basis.square().sum((2, 3)).mean(dim=0)
    torch.testing.assert_close(norms, torch.ones(basis.shape[1]))


def test_a_harmonic_turned_is_a_combination_of_its_pair():
    """cos m(φ − θ) = cos mθ cos mφ + sin mθ sin mφ."""
    basis = steerable_basis(5, 8)
    cosine, sine = basis[0, 2], basis[0, 3]  # behind the centre and the first ring: its m = 1
    expected = (cosine + sine) * math.sqrt(0.5)
    torch.testing.assert_close(basis[1, 2], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("turns", [4, 8])
def test_turning_the_image_turns_the_maps_and_passes_them_on(turns: int):
    torch.manual_seed(0)
    lift = GroupConvolution(2, 3, 5, turns, lifts=True).eval()
    group = GroupConvolution(3, 4, 3, turns).eval()
    image = torch.rand(2, 2, 12, 12)
    for quarters in (1, 2, 3):
        turned = torch.rot90(image, quarters, (2, 3))
        h, h_turned = lift(image), lift(turned)
        torch.testing.assert_close(h_turned, passed_on(h, turns, quarters), rtol=0, atol=1e-5)
        expected = passed_on(group(h), turns, quarters)
        torch.testing.assert_close(group(h_turned), expected, rtol=0, atol=1e-4)


def test_turns_between_the_pixels_are_nearly_as_good():
    """By 45°, of a smooth blob, where an ordinary kernel would have to be learnt anew."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, 31)] * 2, indexing="ij")

    def blob(angle: float) -> torch.Tensor:
        u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
        return torch.exp(-(((u - 0.2) / 0.35) ** 2 + (v / 0.15) ** 2) / 2)[None, None]

    torch.manual_seed(0)
    lift = GroupConvolution(1, 6, 5, 8, lifts=True).eval()
    upright, turned = (lift(blob(a)).mean((2, 3)).view(6, 8) for a in (0.0, math.pi / 4))
    assert (turned - upright.roll(1, 1)).norm() < 0.3 * (turned - upright).norm()


def test_statistics_are_shared_by_the_turns_when_it_is_used():
    torch.manual_seed(0)
    lift = GroupConvolution(1, 3, 5, 4, lifts=True)
    for _ in range(20):
        lift(torch.rand(8, 1, 12, 12) * torch.linspace(0, 1, 12))  # brighter at one side
    image = torch.rand(1, 1, 12, 12)
    lift.eval()
    expected = passed_on(lift(image), 4, 1)
    torch.testing.assert_close(lift(torch.rot90(image, 1, (2, 3))), expected, rtol=0, atol=1e-5)


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="odd size, not 4"):
        GroupConvolution(1, 2, 4, 8)
