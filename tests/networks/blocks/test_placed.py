"""An embedding that is told where its frame is."""

import math

import torch

from diffstn.networks.blocks.placed import Placed
from diffstn.spatial import affine_matrix, moment_frame, turned


def numbers(frame: torch.Tensor) -> torch.Tensor:
    """What is told of frames, not yet standardised."""
    placed, seen = Placed(4).eval(), []
    placed.place.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    placed(torch.zeros(len(frame), 4), frame)
    return seen[0]


def test_the_middle_of_the_canvas_and_the_size_as_the_frame_knows_them():
    """C(p) = 0.5 p + (0.1, −0.2): the middle lies at (−0.2, 0.4), and a unit is half as long."""
    frame = torch.tensor([[0.5, 0.0, 0.1, 0.0, 0.5, -0.2]])
    expected = torch.tensor([[-0.2, 0.4, math.log(0.5)]])
    torch.testing.assert_close(numbers(frame), expected, rtol=0, atol=1e-6)


def test_through_a_turned_frame_the_middle_is_turned_back():
    image = torch.zeros(1, 1, 28, 28)
    image[..., 4:12, 6:9] = 1
    plain = numbers(moment_frame(image))
    aside = numbers(turned(moment_frame, image, torch.tensor([0.7])))
    R = affine_matrix(torch.tensor([-0.7]))[0, :, :2]
    torch.testing.assert_close(aside[0, :2], R @ plain[0, :2], rtol=0, atol=1e-5)
    torch.testing.assert_close(aside[0, 2], plain[0, 2], rtol=0, atol=1e-5)


def test_numbers_are_standardised_and_reach_the_embedding():
    torch.manual_seed(0)
    placed, embedding = Placed(4), torch.rand(64, 4)
    m = torch.tensor([0.5, 0.0, 0.3, 0.0, 0.5, 0.0]) + 0.01 * torch.randn(64, 6)
    placed(embedding, m).square().sum().backward()
    assert all((p.grad != 0).any() for p in placed.parameters())
    standardised = placed.place[0](numbers(m))
    torch.testing.assert_close(standardised.mean(0), torch.zeros(3), rtol=0, atol=1e-4)
    assert not torch.allclose(placed.eval()(embedding, m), placed(embedding, m.flip(0)), atol=1e-2)
