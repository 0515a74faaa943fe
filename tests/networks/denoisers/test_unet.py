import pytest
import torch
from torch import nn

from diffstn.networks.blocks.residual_block import ResidualBlock
from diffstn.networks.blocks.spatial_attention import SpatialAttention
from diffstn.networks.classifiers.noisy_image import NoisyImageNetwork
from diffstn.networks.denoisers.unet import UNet

OPTIONS = [
    {},
    {"attention": (1, 2), "head_features": 8},
    {"scale_shift": False},
    {"residual_resampling": True},
    {"multipliers": (1, 2, 3, 4), "blocks": 1},
    {"multipliers": (1,), "blocks": 3},
    {"outputs": 2, "dropout": 0.2},
    {"patch": 2, "multipliers": (1, 2), "outputs": 2},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("channels", "size"), [(1, (16, 16)), (3, (8, 24))])
def test_images_of_any_suitable_size_keep_it(options, channels, size):
    network = UNet(channels, size, width=16, zero_init=False, **options)
    x = torch.randn(2, channels, *size)
    answer = network(x, torch.tensor([1, 900]))
    assert answer.shape == (2, channels * options.get("outputs", 1), *size)
    answer.square().sum().backward()
    assert all(p.grad is not None and (p.grad != 0).any() for p in network.parameters())


def test_it_starts_by_answering_nothing():
    network = UNet(1, (16, 16), width=16)
    assert (network(torch.randn(2, 1, 16, 16), torch.tensor([1, 9])) == 0).all()


def test_time_label_embedding_and_image_are_heard():
    network = UNet(
        1, (8, 8), classes=3, embedding=5, image_channels=1, width=8, zero_init=False
    ).eval()
    x, t = torch.randn(1, 1, 8, 8), torch.tensor([7])
    told = {
        "label": torch.tensor([1]),
        "embedding": torch.randn(1, 5),
        "image": torch.randn(1, 1, 8, 8),
    }
    answer = network(x, t, **told)
    others = [
        network(x, torch.tensor([700]), **told),
        network(x, t, **{**told, "label": torch.tensor([2])}),
        network(x, t, **{**told, "embedding": torch.randn(1, 5)}),
        network(x, t, **{**told, "image": torch.randn(1, 1, 8, 8)}),
    ]
    for other in others:
        assert (other - answer).abs().max() > 1e-4
    unknown = network(x, t, **{**told, "label": torch.tensor([3])})
    no_label = network(x, t, embedding=told["embedding"], image=told["image"])
    torch.testing.assert_close(unknown, no_label)


def test_squares_of_pixels_are_channels():
    """A network of squares is one of images with four times the channels and half the sides."""
    told = {"width": 16, "multipliers": (1, 2), "classes": 3, "zero_init": False, "outputs": 2}
    squares = UNet(3, (16, 16), patch=2, image_channels=1, **told)
    plain = UNet(12, (8, 8), image_channels=4, **told)
    plain.load_state_dict(squares.state_dict())
    x, t, label = torch.randn(2, 3, 16, 16), torch.tensor([5, 500]), torch.tensor([0, 2])
    image = torch.randn(2, 1, 16, 16)
    unshuffle = nn.PixelUnshuffle(2)
    answer = plain(unshuffle(x), t, label=label, image=unshuffle(image))
    found = squares(x, t, label=label, image=image)
    torch.testing.assert_close(unshuffle(found), answer)


def test_a_image_that_is_wanted_must_come():
    network = UNet(1, (8, 8), image_channels=1, width=8)
    with pytest.raises(ValueError, match="image"):
        network(torch.randn(1, 1, 8, 8), torch.tensor([7]))


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"size": (28, 30)}, "28 x 32"),
        ({"patch": 4}, "squares of 4 x 4 pixels .* a smaller network.patch, .* images of 32 x 32"),
        ({"groups": 7}, "groups"),
        ({"attention": (3,)}, "levels 0 to 2"),
        ({"attention": (0,), "head_features": 5}, "head_features"),
        ({"blocks": 0}, "block"),
    ],
)
def test_shapes_that_cannot_work_are_refused(settings, word):
    with pytest.raises(ValueError, match=word):
        UNet(**{"channels": 1, "size": (28, 28), "width": 16, **settings})


def test_it_does_not_matter_how_memory_is_laid_out():
    network = UNet(1, (8, 8), width=8, zero_init=False, attention=(2,), head_features=8).eval()
    x, t = torch.randn(3, 1, 8, 8), torch.tensor([1, 2, 3])
    there = network.to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        there(x.contiguous(memory_format=torch.channels_last), t), network(x, t)
    )


def test_attention_agrees_with_its_formula():
    attention = SpatialAttention(8, head_features=4, groups=2, zero_init=False)
    h = torch.randn(2, 8, 3, 5)
    cells = attention.norm(h).flatten(2).transpose(1, 2)
    q, k, v = attention.inner(cells).chunk(3, dim=-1)
    heads = []
    for i in (0, 1):
        at = slice(4 * i, 4 * i + 4)
        weights = (q[..., at] @ k[..., at].transpose(1, 2) / 2).softmax(-1)
        heads.append(weights @ v[..., at])
    answer = attention.outer(torch.cat(heads, -1)).transpose(1, 2).view(2, 8, 3, 5)
    torch.testing.assert_close(attention(h), h + answer, atol=1e-5, rtol=1e-5)


def test_a_block_agrees_with_its_formula():
    block = ResidualBlock(8, 16, condition=6, groups=4, zero_init=False)
    h, m = torch.randn(2, 8, 5, 5), torch.randn(2, 6)
    silu = torch.nn.functional.silu
    scale, shift = block.modulation(m)[..., None, None].chunk(2, dim=1)
    inner = block.second_norm(block.first(silu(block.first_norm(h))))
    inner = block.second(silu(inner * (1 + scale) + shift))
    torch.testing.assert_close(block(h, m), block.shortcut(h) + inner, atol=1e-5, rtol=1e-5)


def test_a_block_that_starts_as_its_shortcut():
    block = ResidualBlock(8, 8, condition=6)
    h = torch.randn(2, 8, 4, 4)
    assert torch.equal(block(h, torch.randn(2, 6)), h)


def test_the_noisy_classifier_reads_any_size_and_hears_the_time():
    network = NoisyImageNetwork(1, 10, width=8).eval()
    for p in network.parameters():
        nn.init.normal_(p, std=0.1)  # as built, blocks are their shortcuts
    x = torch.randn(2, 1, 28, 28)
    one, other = network(x, torch.tensor([1, 1])), network(x, torch.tensor([900, 900]))
    assert one.shape == (2, 10)
    assert not torch.equal(one, other)
