import math

import torch

from diffstn.networks.heads.auxiliary_angle import AuxiliaryAngle


def head_that_reads(cos: float, sin: float) -> AuxiliaryAngle:
    head = AuxiliaryAngle(6)
    torch.nn.init.zeros_(head.linear.weight)
    head.linear.bias.data = torch.tensor([cos, sin])
    return head


def test_a_head_that_knows_nothing_costs_half():
    phi = torch.arange(8) * (2 * math.pi / 8)
    torch.testing.assert_close(head_that_reads(0.0, 0.0)(torch.randn(8, 6), phi), torch.tensor(0.5))


def test_what_is_read_is_the_direction_and_its_length_is_how_sure():
    embedding = torch.randn(3, 6)
    read = head_that_reads(-0.3, 0.4).read(embedding)
    torch.testing.assert_close(read, torch.full((3,), math.atan2(0.4, -0.3)))
    spread = torch.tensor([1.2, -1.2])  # the mean of the two is (cos 1.2, 0)
    best = head_that_reads(math.cos(1.2), 0.0)(embedding[:2], spread)
    for cos, sin in ((math.cos(1.2) + 0.1, 0.0), (1.0, 0.0), (math.cos(1.2), 0.1)):
        assert head_that_reads(cos, sin)(embedding[:2], spread) > best


def test_it_teaches_the_embedding():
    embedding = torch.randn(4, 6, requires_grad=True)
    AuxiliaryAngle(6)(embedding, torch.zeros(4)).backward()
    assert embedding.grad is not None
    assert embedding.grad.abs().sum() > 0
