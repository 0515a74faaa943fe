"""Random mirrors and shifts against slices, translations and counts."""

import pytest
import torch

from diffstn import ranks
from diffstn.data.augmentation import Augmentation
from diffstn.errors import UserError
from diffstn.spatial import Affine, warp
from tests.forked import two_ranks

CPU = torch.device("cpu")


def numbered(n: int, height: int = 6, width: int = 8) -> torch.Tensor:
    """Images (n, 2, height, width) whose every number is another."""
    return torch.arange(2 * height * width).view(1, 2, height, width).repeat(n, 1, 1, 1)


def test_nothing_asked_is_nothing_done_and_nothing_drawn():
    torch.manual_seed(0)
    before, images = torch.get_rng_state(), numbered(3)
    assert Augmentation()(images) is images
    assert torch.equal(torch.get_rng_state(), before)


def test_a_sure_mirror_is_one_and_a_likely_one_as_often():
    images = numbered(2000)
    assert torch.equal(Augmentation(flip=1.0)(images), images.flip(3))
    torch.manual_seed(0)
    mirrored = (Augmentation(flip=0.3)(images) != images).any(3).any(2).any(1)
    assert abs(float(mirrored.float().mean()) - 0.3) < 0.031  # three standard deviations


def test_alternating_mirrors_show_both_sides_of_every_image_in_two_epochs():
    images, rows = torch.rand(5, 1, 4, 6), torch.tensor([7, 2, 4, 1, 3])
    alternate = Augmentation(flip="alternate")
    first, second, third = (alternate(images, rows + epoch) for epoch in range(3))
    odd = (rows % 2 == 1)[:, None, None, None]
    assert torch.equal(first, torch.where(odd, images.flip(3), images))
    assert torch.equal(second, first.flip(3))
    assert torch.equal(third, first)


@pytest.mark.parametrize("fill", ["reflection", "border", "zeros"])
def test_every_crop_is_one_of_the_padded_image_and_each_as_likely(fill):
    torch.manual_seed(0)
    images = torch.rand(4000, 1, 5, 6)[:1].repeat(4000, 1, 1, 1)
    found = Augmentation(crop=2, fill=fill)(images)
    shifts = [(a, b) for a in range(-2, 3) for b in range(-2, 3)]
    # pixel (i, j) shows (i + a, j + b): what a warp by that translation shows, edges and all
    A = torch.tensor([[1.0, 0, 2 * b / 6, 0, 1, 2 * a / 5] for a, b in shifts])
    expected = warp(images[: len(A)], A, Affine(), padding=fill)
    near = (found[:, None] - expected).abs().amax((2, 3, 4)) < 1e-5
    counts = near.sum(0)
    assert near.any(1).all()
    assert (counts - 160).abs().max() < 50  # four standard deviations of 4000 / 25


def test_labels_of_type_and_layout_stay():
    images = (torch.rand(4, 3, 8, 8) * 255).byte()
    found = Augmentation(0.5, 3)(images)
    assert (found.dtype, found.shape, found.stride()) == (
        images.dtype,
        images.shape,
        images.stride(),
    )


def augmented(images: torch.Tensor) -> torch.Tensor:
    return Augmentation(0.5, 2)(images)


def test_two_processes_draw_what_one_does(tmp_path):
    images = torch.rand(6, 1, 8, 8)

    def work() -> int:
        with ranks.joined(CPU):
            ranks.seed_common(7, CPU)
            rank = ranks.group()[0]
            torch.save(augmented(images[rank::2]), tmp_path / f"{rank}.pt")
            ranks.leave()  # when the other is there, too
        return 0

    both = two_ranks(work, tmp_path)
    assert [one.wait() for one in both] == [0, 0], "".join(one.said.read_text() for one in both)
    torch.manual_seed(7)
    alone = augmented(images)
    for rank in (0, 1):
        assert torch.equal(torch.load(tmp_path / f"{rank}.pt"), alone[rank::2])


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"flip": 1.5}, r"data\.flip=1\.5: it is a probability"),
        ({"flip": -0.1}, r"data\.flip=-0\.1"),
        ({"flip": "often"}, r"data\.flip=often: it is a probability, from 0 to 1, or alternate"),
        ({"crop": -1}, r"data\.crop=-1: it must be at least 0"),
        ({"fill": "grey"}, r"data\.crop_fill=grey: choose reflection, border, zeros"),
    ],
)
def test_what_cannot_be_is_refused(settings, word):
    with pytest.raises(UserError, match=word):
        Augmentation(**settings)


def test_crops_as_large_as_the_image_are_refused():
    Augmentation(crop=7).check((8, 9))
    with pytest.raises(UserError, match="8 x 9 pixels can be shifted by at most 7"):
        Augmentation(crop=8).check((8, 9))
