"""Images as users hold them."""

import warnings

import numpy as np
import pytest
import torch

from diffstn.data.disc import in_disc
from diffstn.data.facts import Facts
from diffstn.models.given import Given

GREY, COLOUR = Facts("upright", channels=1), Facts("upright", channels=3)


def given(images: object, facts: Facts = GREY, size: tuple[int, int] | None = (8, 8)) -> Given:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Given(images, facts, size)


def content(*shape: int) -> torch.Tensor:
    """Random values within black borders."""
    values = torch.rand(*shape, generator=torch.Generator().manual_seed(0))
    values[..., [0, -1], :] = 0
    return values


def test_the_same_images_are_read_from_every_form():
    images = content(5, 1, 8, 8)
    as_bytes = (images * 255).round().byte()
    for form in (
        images,
        images.double(),
        images.numpy(),
        images.flip(3).numpy()[..., ::-1],
        images.numpy().astype(">f4"),
        images.permute(0, 2, 3, 1).numpy(),
    ):
        torch.testing.assert_close(given(form).images, images)
    for form in (as_bytes, as_bytes.numpy()):
        torch.testing.assert_close(given(form).images, as_bytes / 255)
    for single in (images[0], images[0, 0], images[0, 0].numpy(), images[0, 0, ..., None].numpy()):
        torch.testing.assert_close(given(single).images, images[:1])
    assert torch.equal(given(images > 0.5).images, (images > 0.5).float())


def test_grey_is_shown_as_grey_and_colour_by_its_luminance():
    grey = content(2, 1, 8, 8)
    assert torch.equal(given(grey, COLOUR).images, grey.expand(-1, 3, -1, -1))
    colour = torch.zeros(3, 3, 8, 8)
    for channel in range(3):
        colour[channel, channel, 2:6] = 1
    lightness = given(colour).images[:, 0, 4, 4]
    torch.testing.assert_close(lightness, torch.tensor([0.299, 0.587, 0.114]))
    last = colour.permute(0, 2, 3, 1).numpy()
    torch.testing.assert_close(given(last, COLOUR).images, colour)


def test_another_size_is_scaled_and_centred_on_black():
    wide = torch.zeros(1, 1, 16, 32)
    wide[..., 4:12, 8:24] = 1
    seen = given(wide).images[0, 0]
    assert seen.shape == (8, 8)
    assert not seen[:2].any()
    assert not seen[6:].any()
    assert seen.sum() == pytest.approx(8 * 16 / 4**2, rel=0.1)
    at = torch.arange(8) - 3.5
    assert abs(float((at * seen.sum(0)).sum())) < 1e-4
    assert abs(float((at * seen.sum(1)).sum())) < 1e-4
    assert given(wide, size=None).images.shape == (1, 1, 16, 32)


def test_the_answer_has_the_form_of_the_question():
    floats, as_bytes = content(2, 1, 8, 8), torch.zeros(8, 8, dtype=torch.uint8)
    answer = torch.tensor([[[[0.0, 0.5, 1.2]]]])
    assert given(floats).like(answer, pixels=True) is not None
    single = given(as_bytes).like(answer, pixels=True)
    assert single.tolist() == [[[0, 128, 255]]]
    assert single.dtype == torch.uint8
    assert given(as_bytes).like(torch.zeros(1, 10)).shape == (10,)
    assert given(floats).like(torch.zeros(2, 10)).shape == (2, 10)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(0, 1, 8, 8), "no images"),
        (torch.full((1, 8, 8), torch.nan), "image 0 holds values that are not finite: replace or"),
        (torch.zeros(5, 8, 8), r"not \(5, 8, 8\): a batch of grey images has one channel"),
        (torch.zeros(8, 8, 3), "channels come first in tensors"),
        (np.zeros((8, 8, 4)), "leave out the fourth channel"),
        (torch.zeros(2, 4, 8, 8), "leave out the fourth channel"),
        (None, "tensors or arrays of numbers, not NoneType"),
        (torch.rand(1, 8, 8) * 255, "divide by 255"),
        (torch.rand(1, 8, 8) * 2 - 1, r"lie in \[0, 1\]"),
        (torch.zeros(1, 8, 8, dtype=torch.int64), "not torch.int64: convert them"),
        (torch.zeros(2, 4, 8, 8), r"1 or 3 channels, not \(2, 4, 8, 8\)"),
        (np.zeros(7), r"not \(7,\)"),
        (torch.zeros(2, 1, 7, 30), "7 × 30 pixels are too few to be read: give at least 8 × 8"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(images: object, message: str):
    with pytest.raises(ValueError, match=message):
        given(images)


def test_dark_on_white_is_warned_of_where_a_model_knows_light_on_black():
    mixed = torch.stack([content(1, 8, 8), 1 - content(1, 8, 8)])
    with pytest.warns(UserWarning, match="^1 of 2 images have bright borders.* 1 - images"):
        Given(mixed, GREY, None)
    assert given(1 - content(3, 8, 8), COLOUR).images.shape == (1, 3, 8, 8)


def test_writing_of_any_ink_is_the_same_to_a_model_and_given_back_as_it_came():
    light = content(3, 1, 8, 8)
    light[:, :, 4, 4] = 1
    for paper, ink in ((0.0, 1.0), (0.0, 0.4), (1.0, 0.0), (0.9, 0.2)):
        shown = paper + (ink - paper) * light
        read = Given(shown, GREY, (8, 8), writing=True)
        torch.testing.assert_close(read.images, light, atol=1e-5, rtol=0)
        torch.testing.assert_close(read.like(read.images, pixels=True), shown)
        as_bytes = (shown * 255).round().byte()
        read = Given(as_bytes, GREY, (8, 8), writing=True)
        assert (read.images - light).abs().max() < 0.01
        assert torch.equal(read.like(read.images, pixels=True), as_bytes)


def test_paper_is_seen_before_an_oblong_image_lies_on_black():
    sheet = torch.ones(1, 1, 8, 16)
    sheet[..., 2:6, 4:12] = 0
    read = Given(sheet, GREY, (8, 8), writing=True)
    assert read.images.amax() > 0.7
    assert read.images[..., [0, -1], :].abs().max() < 0.02


@pytest.mark.parametrize("shape", [(8, 8), (32, 32), (24, 32), (40, 24)])
def test_a_model_of_discs_is_shown_the_disc_in_the_middle(shape):
    """Where a photograph ends its corners tell how it was turned, and bars beside it, too."""
    photographs = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0))
    found = given(photographs, Facts("distorted", channels=3, disc="mirrored"))
    side = min(shape)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    square = photographs[..., top : top + side, left : left + side]
    expected = given(square, COLOUR).images
    inside = in_disc(torch.ones(1, 1, 8, 8), "black")[0, 0] > 0
    torch.testing.assert_close(found.images[..., inside], expected[..., inside])
    torch.testing.assert_close(found.images, in_disc(expected, "mirrored"))
    middle = torch.zeros(1, 1, 2)
    at = torch.tensor([shape[1] / 2, shape[0] / 2]).expand(1, 1, 2)
    torch.testing.assert_close(found.placement.pixels(middle), at)
    assert found.placement.scale == 8 / side
