"""What is drawn for the items of a batch."""

import pytest
import torch

from diffstn.models.noise import uniform_for, withheld


def test_the_share_of_labels_that_is_withheld():
    torch.manual_seed(0)
    label = torch.arange(10).repeat(2000)
    heard = withheld(label, 0.3, none=10)
    assert float((heard == 10).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert torch.equal(heard[heard < 10], label[heard < 10])
    assert torch.equal(withheld(label, 0.0, none=10), label)
    assert bool((withheld(label, 1.0, none=10) == 10).all())


def test_uniform_numbers_of_each_item():
    torch.manual_seed(0)
    u = uniform_for(torch.empty(4000, 3, 2), 2)
    assert u.shape == (4000, 2)
    assert float(u.min()) >= 0
    assert float(u.max()) < 1
    assert float(u.mean()) == pytest.approx(0.5, abs=0.02)
    assert float(u.T.corrcoef()[0, 1]) == pytest.approx(0, abs=0.05)
