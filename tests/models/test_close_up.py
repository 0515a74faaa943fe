"""Digits that are small in their image."""

import torch
import torch.nn.functional as F

import diffstn
from diffstn.data.sources.mnist import load_mnist
from diffstn.models.close_up import USUAL, content_boxes, fitted
from diffstn.models.placement import placed


def digits(n: int = 16) -> torch.Tensor:
    return load_mnist()["test"].items[:n].float() / 255


def moved(images: torch.Tensor, size: tuple[int, int], top: int, left: int) -> torch.Tensor:
    """Images on a larger black one, at a place."""
    height, width = images.shape[2:]
    return F.pad(images, (left, size[1] - left - width, top, size[0] - top - height))


def test_content_is_where_the_ink_is():
    block = torch.zeros(3, 1, 40, 60)
    block[0, :, 5:12, 20:50] = 1
    block[1, :, 5:12, 20:50] = 0.2
    block[1, :, 30, 2] = 0.02  # a stray mark
    assert content_boxes(block).tolist() == [[20, 5, 50, 12], [20, 5, 50, 12], [0, 0, 60, 40]]


def test_images_whose_content_is_large_enough_are_seen_whole():
    images = F.interpolate(digits(), (56, 56), mode="bilinear")
    seen, place = fitted(images, (28, 28), nearer=True)
    assert place == placed((56, 56), (28, 28))
    assert torch.equal(seen, fitted(images, (28, 28), nearer=False)[0])


def test_small_content_is_seen_from_nearer_and_finds_its_way_back():
    images = moved(digits(), (140, 100), 90, 10)
    images[0] = 0
    images[0, :, 20:120, :] = F.interpolate(digits(1), (100, 100), mode="bilinear")[0]
    seen, place = fitted(images, (28, 28), nearer=True)
    sides = content_boxes(seen)[1:]
    longest = (sides[:, 2:] - sides[:, :2]).amax(1)
    assert (longest.float() - 28 * USUAL).abs().max() <= 2
    assert torch.equal(seen[0], fitted(images[:1], (28, 28), nearer=False)[0][0])
    # the middle of the ink, on the canvas and in the given images
    at = [middle(x) for x in (seen, images)]
    canvas, given = (
        2 * xy / xy.new_tensor(x.shape[:1:-1]) - 1 for xy, x in zip(at, (seen, images), strict=True)
    )
    torch.testing.assert_close(place.pixels(canvas[:, None])[:, 0], at[1], atol=0.5, rtol=0)
    torch.testing.assert_close(place.normalised(given[:, None])[:, 0], canvas, atol=0.05, rtol=0)


def middle(images: torch.Tensor) -> torch.Tensor:
    """Centre of mass of images (B, 1, H, W), (x, y) in pixels."""
    mass = images[:, 0] / images.sum((1, 2, 3))[:, None, None]
    y, x = (torch.arange(side) + 0.5 for side in images.shape[2:])
    return torch.stack([(mass.sum(1) * x).sum(1), (mass.sum(2) * y).sum(1)], dim=1)


def test_small_digits_are_read_turned_upright_and_measured():
    images, labels = load_mnist()["test"].items[:60], load_mnist()["test"].labels[:60]
    model = diffstn.load("pretrained/diff_in_stn_full")
    sheet = 255 - moved(images, (112, 150), 70, 100)
    found = model.correct(sheet)
    assert (found.probabilities.argmax(-1) == labels).float().mean() > 0.9
    plain = model.correct(images)
    # the same pixels, counted from another middle and against another width
    same = (found.pose.turn - plain.pose.turn).abs() < 5
    assert same.float().mean() > 0.8
    shift = plain.pose.shift + torch.tensor([100.0 + 14 - 75, 70.0 + 14 - 56])
    torch.testing.assert_close(found.pose.shift[same], shift[same], atol=1, rtol=0)
    scale = plain.pose.scale * 28 / 150
    torch.testing.assert_close(found.pose.scale[same], scale[same], atol=0.02, rtol=0)
    upright = found.upright(sheet.float() / 255)
    assert upright.shape[2:] == (150, 150)
    assert upright[:, :, 0].min() > 0.95  # paper
    alone = model.correct(sheet[3])
    torch.testing.assert_close(alone.A, found.A[3], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(alone.pose.shift, found.pose.shift[3], atol=1e-2, rtol=1e-2)
