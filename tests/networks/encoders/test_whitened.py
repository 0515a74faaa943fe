"""The encoder of a judge of photographs."""

import pytest
import torch

from diffstn.networks.classifiers.classifier import Classifier
from diffstn.networks.encoders.mirrored import MirroredEncoder
from diffstn.networks.encoders.whitened import WhitenedEncoder, WhitenedStage
from diffstn.store.shipping import LIMIT


def small(channels: int = 3, size: tuple[int, int] = (32, 32)) -> WhitenedEncoder:
    torch.manual_seed(0)
    return WhitenedEncoder(channels, size, widths=(8, 24))


@pytest.mark.parametrize(("channels", "size"), [(1, (28, 28)), (3, (32, 32)), (2, (42, 30))])
def test_embeds_any_channels_and_oblong_images(channels: int, size: tuple[int, int]):
    network = small(channels, size)
    assert network.features == 24
    image = torch.rand(3, channels, *size, requires_grad=True)
    embedding = network(image)
    assert embedding.shape == (3, 24)
    embedding.square().sum().backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert all((p.grad != 0).any() for p in network.parameters())
    assert all("whitening" not in name for name, _ in network.named_parameters())


def test_sides_shrink_from_32_to_31_15_7_and_3():
    network = WhitenedEncoder(3, (32, 32), widths=(4, 4, 4))
    h, sides = network.whitening(torch.rand(2, 3, 32, 32)), []
    for stage in network.stages:
        sides.append(h.shape[-1])
        h = stage(h)
    assert [*sides, h.shape[-1]] == [31, 15, 7, 3]


def test_the_judges_weights_ship_in_half_precision():
    network = Classifier(MirroredEncoder(WhitenedEncoder(3, (32, 32))), 10)
    numbers = sum(value.numel() for value in network.state_dict().values())
    assert 2 * numbers < LIMIT
    assert numbers < 2.05e6


def test_kernels_start_as_the_identity_as_far_as_there_are_channels():
    torch.manual_seed(0)
    stage = WhitenedStage(6, 9, momentum=0.4, gain=8.0)
    h = torch.rand(2, 6, 8, 8)
    torch.testing.assert_close(stage.first(h)[:, :6], h)
    assert (stage.first.weight[6:] != 0).all()
    narrower = WhitenedStage(6, 4, momentum=0.4, gain=8.0)
    torch.testing.assert_close(narrower.first(h), h[:, :4])


def test_answers_alike_alone_and_in_a_batch():
    network, images = small().eval(), torch.rand(4, 3, 32, 32)
    torch.testing.assert_close(network(images)[1:2], network(images[1:2]), rtol=1e-4, atol=1e-5)


def test_too_small_an_image_or_no_stage_is_refused():
    with pytest.raises(ValueError, match="8x32 px are too small; use 9 px or more"):
        WhitenedEncoder(3, (8, 32))
    assert WhitenedEncoder(3, (9, 32), widths=(4, 4, 4))(torch.rand(2, 3, 9, 32)).shape == (2, 4)
    with pytest.raises(ValueError, match=r"encoder\.widths=\[\]"):
        WhitenedEncoder(3, (32, 32), widths=())


def test_a_mirrored_one_answers_mirror_images_alike_and_trains_as_it_was():
    inner, images = small(), torch.rand(4, 3, 32, 32)
    mirrored = MirroredEncoder(inner)
    assert mirrored.features == 24
    torch.testing.assert_close(mirrored.train()(images), inner(images))
    mirrored.eval()
    torch.testing.assert_close(mirrored(images), mirrored(images.flip(3)))
    torch.testing.assert_close(mirrored(images), (inner(images) + inner(images.flip(3))) / 2)
    assert not torch.allclose(inner(images), inner(images.flip(3)), atol=1e-3)
    judge = Classifier(mirrored, 10).eval()
    plain = judge.head(inner(images)), judge.head(inner(images.flip(3)))
    torch.testing.assert_close(judge(images), (plain[0] + plain[1]) / 2)
