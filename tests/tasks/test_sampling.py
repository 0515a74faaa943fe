"""Many items from a generative model."""

import torch
from torch import Tensor

from diffstn.tasks.batches import batch_noise
from diffstn.tasks.sampling import BLOCK, labels_like, sampled_images, sampled_items


class Echo:
    """Samples the noise it gets, with the class added to it if it hears one."""

    noise_shape = (1, 2, 2)
    conditional = hears_label = True

    @staticmethod
    def generate(x_T, label, generator):
        return x_T + label.view(-1, *[1] * (x_T.ndim - 1))


class Data:
    @staticmethod
    def labels(split):
        return torch.tensor([0] * 70 + [1] * 30)


def test_the_batch_size_changes_nothing():
    labels = torch.arange(BLOCK + 10) % 3
    whole = torch.cat([x for x, _ in sampled_images(Echo, labels, 5, BLOCK, Tensor.cpu)])
    parts, told = zip(*sampled_images(Echo, labels, 5, 300, Tensor.cpu), strict=True)
    assert torch.equal(torch.cat(parts), whole)
    assert torch.equal(torch.cat(told), labels)
    some = [
        sampled_items(Echo, labels[:50], torch.Generator().manual_seed(2), size) for size in (50, 7)
    ]
    assert torch.equal(*some)
    assert some[0].shape == (50, 1, 2, 2)


def test_every_item_has_noise_of_its_own_and_its_class():
    labels = torch.arange(BLOCK + 10) % 3
    whole = torch.cat([x for x, _ in sampled_images(Echo, labels, 5, 300, Tensor.cpu)])
    assert len(whole.unique(dim=0)) == len(labels)
    means = [float(whole[labels == c].mean()) for c in range(3)]
    assert [round(mean) for mean in means] == [0, 1, 2]


class Noisy(Echo):
    """Asks the sampler's generator as well."""

    @staticmethod
    def generate(x_T, label, generator):
        return x_T + torch.randn(x_T.shape, generator=generator)


def test_the_noise_of_the_way_belongs_to_the_batch_whoever_sampled_those_before_it():
    labels = torch.arange(60) % 3
    whole = [x for x, _ in sampled_images(Noisy, labels, 5, 20, Tensor.cpu)]
    drawn = [torch.randn(20, 1, 2, 2, generator=batch_noise(5, first)) for first in (0, 20, 40)]
    start = [x for x, _ in sampled_images(Echo, 0 * labels, 5, 20, Tensor.cpu)]
    assert all(torch.equal(a, b + c) for a, b, c in zip(whole, start, drawn, strict=True))


def test_labels_come_in_the_proportions_of_training():
    labels = labels_like(Data, 20_000, 0)
    assert torch.equal(labels, labels_like(Data, 20_000, 0))
    assert not torch.equal(labels, labels_like(Data, 20_000, 1))
    assert abs(float(labels.double().mean()) - 0.3) < 0.015
