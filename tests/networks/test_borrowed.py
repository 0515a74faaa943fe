"""A network that goes along and is no part."""

from copy import deepcopy

import torch
from torch import nn

from diffstn.networks.borrowed import Borrowed


class Holder(nn.Module):
    def __init__(self):
        super().__init__()
        self.own = nn.Linear(3, 3)
        self.other = Borrowed(nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)))


def test_it_has_no_state_and_never_trains():
    holder = Holder().train()
    assert set(holder.state_dict()) == {"own.weight", "own.bias"}
    assert len(list(holder.parameters())) == 2
    assert not holder.other.network.training
    assert not any(p.requires_grad for p in holder.other.network.parameters())
    holder.load_state_dict(holder.state_dict())


def test_it_goes_along_and_lets_gradients_through():
    holder = Holder().double()
    x = torch.randn(2, 3, dtype=torch.double, requires_grad=True)
    holder.other.network(holder.own(x)).sum().backward()
    assert (holder.own.weight.grad != 0).any()
    assert holder.other.network[0].weight.grad is None
    assert Holder().to("meta").other.network[0].weight.is_meta


def test_a_copy_has_one_of_its_own():
    holder = Holder()
    other = deepcopy(holder)
    other.other.network[0].weight.add_(1)
    assert not torch.equal(other.other.network[0].weight, holder.other.network[0].weight)
