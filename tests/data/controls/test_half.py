import pytest
import torch

from diffstn.data.controls import Half
from diffstn.errors import UserError


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
