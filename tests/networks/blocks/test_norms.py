import pytest
import torch

from diffstn.networks.blocks.conditional_norm import ConditionalNorm
from diffstn.networks.blocks.label_channel import LabelChannel
from diffstn.networks.blocks.modulated_group_norm import ModulatedGroupNorm
from diffstn.networks.blocks.norms import NAMES, Norms
from diffstn.networks.blocks.told import Told
from diffstn.networks.denoisers.unet import UNet


def test_scale_and_shift_are_the_classes_own():
    torch.manual_seed(0)
    norm = ConditionalNorm(ModulatedGroupNorm(2, 4), 4, classes=3)
    h, s, b = torch.randn(2, 4, 3, 3), *torch.randn(2, 2, 4)
    plain = norm.norm(h)
    told = Told(torch.ones(2), torch.tensor([0, 2]))
    torch.testing.assert_close(norm(h, told=told), plain)  # at the start
    torch.nn.init.normal_(norm.affine.weight)
    gamma, beta = (x[..., None, None] for x in norm.affine(told.label).chunk(2, dim=1))
    by_class = (1 + gamma) * plain + beta
    torch.testing.assert_close(norm(h, told=told), by_class)
    both = by_class * (1 + s[..., None, None]) + b[..., None, None]
    torch.testing.assert_close(norm(h, s, b, told), both)
    none = Told(torch.ones(2), torch.tensor([3, 3]))
    torch.testing.assert_close(norm(h), norm(h, told=none))


@pytest.mark.parametrize("name", NAMES)
def test_a_unet_learns_with_every_norm_and_hears_the_class_in_one_way(name: str):
    torch.manual_seed(0)
    network = UNet(1, (8, 8), classes=2, width=8, zero_init=False, norm=name)
    x, t, label = torch.randn(6, 1, 8, 8), torch.arange(1, 901, 150), torch.arange(6) % 2
    network(x, t, label).square().sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    assert network.labels_in_m is not name.startswith("conditional_")
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    network.eval()
    assert (network(x, t, label) - network(x, t, 1 - label)).abs().max() > 1e-3
    torch.testing.assert_close(network(x, t), network(x, t, torch.full((6,), 2)))


def test_a_label_may_be_a_channel():
    channel = LabelChannel(2, (4, 6))
    x, label = torch.randn(3, 1, 4, 6), torch.tensor([0, 1, 2])
    seen = channel(x, label)
    assert torch.equal(seen[:, :1], x)
    assert torch.equal(seen[1, 1], channel.embedding.weight[1].view(4, 6))
    assert torch.equal(channel(x)[:, 1], seen[2:, 1].expand(3, 4, 6))
    network = UNet(1, (8, 8), classes=2, width=8, zero_init=False, label="channel")
    x, t = torch.randn(1, 1, 8, 8), torch.tensor([7])
    one, other = (network(x, t, torch.tensor([c])) for c in (0, 1))
    assert (one - other).abs().max() > 1e-4
    assert not network.labels_in_m


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"norm": "layer"}, "choose one of group, batch"),
        ({"norm": "conditional_batch"}, "model.conditional=true, or network.norm=batch"),
        ({"label": "word"}, "embedding, channel"),
        ({"norm": "conditional_group", "label": "channel", "classes": 2}, "hears the label"),
        ({"norm": "conditional_group", "classes": 1}, "the data have one"),
        ({"label": "channel", "classes": 1}, "the data have one"),
    ],
)
def test_what_cannot_be_is_refused(settings, word):
    with pytest.raises(ValueError, match=word):
        UNet(1, (8, 8), width=8, **settings)


def test_a_factory_of_ones_own():
    assert Norms(ModulatedGroupNorm, 0, 10).factory is ModulatedGroupNorm
