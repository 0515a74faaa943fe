import pytest
import torch
import torch.nn.functional as F

from diffstn.diffusion.processes import Pixelate
from diffstn.diffusion.processes.pixelate import blocks


def at(process, x, t):
    return process.corrupt(x, torch.full((len(x),), t))


def test_at_whole_levels_blocks_take_their_mean():
    x = torch.rand(2, 3, 16, 16)
    process = Pixelate(3, (16, 16), steps=4)
    for level in range(5):
        side = 2**level
        expected = F.avg_pool2d(x, side).repeat_interleave(side, 2).repeat_interleave(side, 3)
        torch.testing.assert_close(at(process, x, level), expected)


@pytest.mark.parametrize("side", [16, 28, 21])
def test_blocks_are_nested_projections(side):
    P = blocks(side, torch.arange(6))
    for i in range(6):
        torch.testing.assert_close(P[i], P[i].mT)
        for j in range(6):
            torch.testing.assert_close(P[i] @ P[j], P[max(i, j)])


def test_the_finer_level_fades_between_two():
    P = blocks(8, torch.tensor([1.0, 1.25, 2.0]))
    torch.testing.assert_close(P[1], 0.75 * P[0] + 0.25 * P[2])


def test_oblong_images_end_as_one_block_and_keep_their_mean():
    x = torch.rand(4, 1, 28, 20)
    process = Pixelate(1, (28, 20), steps=13)
    end = at(process, x, 13)
    torch.testing.assert_close(end, x.mean((2, 3), keepdim=True).expand_as(x))
    middle = process.corrupt(x, torch.tensor([0, 3, 8, 12]))
    torch.testing.assert_close(middle[0], x[0])
    torch.testing.assert_close(middle.mean((1, 2, 3)), x.mean((1, 2, 3)))


def test_it_may_end_at_smaller_blocks():
    x = torch.rand(2, 1, 28, 28)
    end = at(Pixelate(1, (28, 28), steps=9, largest=4), x, 9)
    expected = F.avg_pool2d(x, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    torch.testing.assert_close(end, expected)


@pytest.mark.parametrize("bad", [{"steps": 0}, {"largest": 1}, {"largest": 9}])
def test_what_does_not_grow_is_refused(bad):
    with pytest.raises(ValueError, match="pixels must grow"):
        Pixelate(1, (8, 8), **bad)
