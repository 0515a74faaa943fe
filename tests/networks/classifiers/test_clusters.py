"""Kinds of images: found where they are, drawn as often as they occur."""

import pytest
import torch
from torch import Generator, Tensor

from diffstn.errors import UserError
from diffstn.networks.classifiers.clusters import Clusters, spread_out

PLACES = torch.tensor([[0.1, 0.1, 0.1, 0.1], [0.9, 0.1, 0.1, 0.9], [0.1, 0.9, 0.9, 0.1]])
SHARES = (0.5, 0.3, 0.2)


def blobs(n: int = 1000, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images (n, 1, 2, 2) around three places, and which."""
    source = Generator().manual_seed(seed)
    which = torch.multinomial(torch.tensor(SHARES), n, replacement=True, generator=source)
    spread = 0.05 * torch.randn(n, 4, generator=source)
    return (PLACES[which] + spread).reshape(n, 1, 2, 2), which


def fitted(count: int = 3) -> Clusters:
    found = Clusters(count, 4)
    found.fit_to_images(blobs()[0].split(300))
    return found


def test_three_blobs_are_three_kinds():
    found, (images, which) = fitted(), blobs(seed=1)
    kinds = found(images)
    names = [int(kinds[which == k].mode().values) for k in range(3)]
    assert sorted(names) == [0, 1, 2]
    assert torch.equal(torch.tensor(names)[which], kinds)
    true = torch.bincount(blobs()[1], minlength=3) / 1000
    torch.testing.assert_close(found.shares[names], true, atol=2e-3, rtol=0)
    torch.testing.assert_close(found.images()[names], PLACES, atol=0.02, rtol=0)


def test_starts_lie_apart_and_in_proportion_to_squared_distance():
    x = torch.tensor([[0.0], [1.0], [3.0]])
    source = Generator().manual_seed(0)
    pairs = [spread_out(x, 2, source)[:, 0].tolist() for _ in range(3000)]
    after_zero = [second for first, second in pairs if first == 0]
    assert after_zero.count(3.0) / len(after_zero) == pytest.approx(0.9, abs=0.03)
    assert len({tuple(sorted(pair)) for pair in pairs}) == 3
    assert spread_out(torch.ones(5, 2), 3, source).shape == (3, 2)


def test_kinds_are_drawn_as_often_as_they_occur():
    found = fitted()
    drawn = found.draw(20_000, Generator().manual_seed(3))
    counted = torch.bincount(drawn, minlength=3) / len(drawn)
    torch.testing.assert_close(counted, found.shares, atol=0.015, rtol=0)  # four standard errors
    assert torch.equal(drawn, found.draw(20_000, Generator().manual_seed(3)))


def test_kinds_are_drawn_by_what_is_asked_for():
    found = fitted()
    likely = torch.tensor([[0.2, 0.2, 0.2], [0.0, 0.5, 1.0]]).repeat_interleave(20_000, 0)
    drawn = found.draw(40_000, Generator().manual_seed(3), likely).view(2, -1)
    counted = torch.stack([torch.bincount(row, minlength=3) / len(row) for row in drawn])
    wanted = found.shares * torch.tensor([0.0, 0.5, 1.0])
    torch.testing.assert_close(counted[0], found.shares, atol=0.015, rtol=0)
    torch.testing.assert_close(counted[1], wanted / wanted.sum(), atol=0.015, rtol=0)


def test_what_a_kind_costs_is_the_logarithm_of_its_share():
    found = fitted()
    bits = found.bits(torch.arange(3))
    torch.testing.assert_close((2 ** (-4 * bits)), found.shares)


def test_they_are_found_once_and_travel_with_the_weights():
    found, again = fitted(), Clusters(3, 4)
    before = found.centres.clone()
    found.fit_to_images([torch.rand(50, 1, 2, 2)])
    assert torch.equal(found.centres, before)
    again.load_state_dict(found.state_dict())
    assert torch.equal(again(blobs()[0]), found(blobs()[0]))
    state = torch.random.get_rng_state()
    other = fitted()
    assert torch.equal(other.centres, before)  # the same images, the same kinds
    assert torch.equal(torch.random.get_rng_state(), state)


def test_every_class_has_kinds_of_its_own():
    """Of the second place there are images of both classes."""
    images, which = blobs()
    label = torch.where(which == 1, torch.arange(len(which)) % 2, which // 2)
    found = Clusters(5, 4, classes=2)
    assert found.classes.tolist() == [0, 0, 0, 1, 1]
    found.fit_to_images(images.split(300), label.split(300))
    kinds = found(images, label)
    assert torch.equal(found.classes[kinds], label)
    for name, places in ((0, [0, 1]), (1, [1, 2])):
        for place in places:
            seen = kinds[(label == name) & (which == place)]
            others = kinds[(label == name) & (which != place)]
            assert not set(seen.tolist()) & set(others.tolist())
    drawn = found.draw(4000, Generator().manual_seed(0), found.likely(torch.ones(4000)))
    wanted = found.shares[3:] / found.shares[3:].sum()
    counted = torch.bincount(drawn, minlength=5) / len(drawn)
    assert counted[:3].sum() == 0
    torch.testing.assert_close(counted[3:], wanted, atol=0.035, rtol=0)  # four standard errors
    torch.testing.assert_close(2 ** (-4 * found.bits(torch.tensor([3, 4]))), wanted)


def test_kinds_without_classes_are_none_of_classes():
    """The weights of a run that told no classes may begin one that does."""
    images, which = blobs()
    found = Clusters(3, 4, classes=3)
    state = fitted().state_dict()
    found.load_state_dict({**state, "fitted": torch.tensor(True)})  # as they were once written
    found.fit_to_images([images], [which])
    torch.testing.assert_close(found.images(), PLACES, atol=0.02, rtol=0)


def test_more_kinds_than_images_are_refused():
    with pytest.raises(UserError, match=r"model\.clusters=30: 30 kinds, more than its 20 images"):
        Clusters(30, 4).fit_to_images([torch.rand(20, 1, 2, 2)])
    label = torch.arange(20) // 18
    with pytest.raises(UserError, match=r"clusters=6: 3 kinds of class 1, more than its 2 images"):
        Clusters(6, 4, classes=2).fit_to_images([torch.rand(20, 1, 2, 2)], [label])
    with pytest.raises(ValueError, match=r"model\.clusters=1: fewer than the 2 classes"):
        Clusters(1, 4, classes=2)
