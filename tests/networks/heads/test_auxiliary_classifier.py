import math

import torch

from diffstn.networks.heads.auxiliary_classifier import AuxiliaryClassifier


def test_a_head_that_knows_nothing_costs_the_entropy_of_the_classes():
    head = AuxiliaryClassifier(6, 10)
    torch.nn.init.zeros_(head.linear.weight)
    torch.nn.init.zeros_(head.linear.bias)
    loss = head(torch.randn(4, 6), torch.arange(4))
    torch.testing.assert_close(loss, torch.tensor(math.log(10.0)))


def test_it_teaches_the_embedding():
    embedding = torch.randn(4, 6, requires_grad=True)
    AuxiliaryClassifier(6, 10)(embedding, torch.arange(4)).backward()
    assert embedding.grad is not None
    assert embedding.grad.abs().sum() > 0
