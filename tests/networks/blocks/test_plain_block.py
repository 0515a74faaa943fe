"""The residual block without a condition."""

import pytest
import torch

from diffstn.networks.blocks.plain_block import PlainBlock


@pytest.mark.parametrize(("inputs", "outputs"), [(8, 8), (8, 16)])
def test_it_starts_as_its_shortcut_and_learns_both_branches(inputs: int, outputs: int):
    torch.manual_seed(0)
    block, h = PlainBlock(inputs, outputs, groups=4), torch.randn(2, inputs, 5, 6)
    assert torch.equal(block(h), block.shortcut(h))
    torch.nn.init.normal_(block.second.weight, std=0.1)
    block(h).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in block.parameters())


def test_groups_must_divide_the_channels():
    with pytest.raises(ValueError, match="groups=3 must divide the 8 channels"):
        PlainBlock(8, 8, groups=3)
