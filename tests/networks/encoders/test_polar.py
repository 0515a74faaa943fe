"""The encoder for which a rotation is a shift."""

import pytest
import torch

from diffstn.networks.encoders.conv import ConvEncoder
from diffstn.networks.encoders.framed import FramedEncoder
from diffstn.networks.encoders.polar import AroundTheCircle, PolarEncoder
from diffstn.spatial import affine_matrix, moment_frame, warp
from diffstn.spatial.canvas import canvas_frame


@pytest.fixture
def encoder() -> PolarEncoder:
    torch.manual_seed(0)
    return PolarEncoder(1).eval()


def smooth_images(n: int) -> torch.Tensor:
    noise = torch.rand(n, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(noise, (28, 28), mode="bicubic").clamp(0, 1)


def test_body_is_equivariant_to_shifts_by_the_strides_product(encoder):
    x = torch.rand(2, 1, 14, 48)
    torch.testing.assert_close(encoder.body(x.roll(8, 3)), encoder.body(x).roll(2, 3))


def test_rotating_the_image_shifts_its_polar_image(encoder):
    images = smooth_images(3)
    quarter = affine_matrix(torch.full((3,), torch.pi / 2))
    shifted = encoder.polar(warp(images, quarter), None)
    torch.testing.assert_close(shifted, encoder.polar(images, None).roll(-12, 3), atol=1e-5, rtol=0)


def test_what_is_there_does_not_change_under_rotation_but_where_does(encoder):
    images = smooth_images(3)
    turned = torch.rot90(images, 1, (2, 3))
    a, b = (encoder.body(encoder.polar(p, None)) for p in (images, turned))
    torch.testing.assert_close(a.mean(3), b.mean(3), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(a.amax(3), b.amax(3), atol=1e-4, rtol=1e-4)
    embedding = encoder(images)
    assert (embedding - encoder(turned)).abs().max() > 0.05 * embedding.abs().max()


def test_through_a_frame_the_embedding_hardly_feels_where_the_content_lies():
    torch.manual_seed(0)
    encoder = PolarEncoder(1, moment_frame).eval()
    bright = torch.zeros(1, 1, 28, 28)
    bright[..., 10:16, 11:14] = 1
    moved = bright.roll((3, -4), (2, 3))
    torch.testing.assert_close(encoder(bright), encoder(moved), atol=1e-4, rtol=1e-3)


def test_told_of_the_place_it_feels_where_the_content_lies():
    torch.manual_seed(0)
    encoder = PolarEncoder(1, moment_frame, place=True).eval()
    bright = torch.zeros(1, 1, 28, 28)
    bright[..., 10:16, 11:14] = 1
    moved = bright.roll((3, -4), (2, 3))
    assert (encoder(bright) - encoder(moved)).abs().max() > 1e-2
    with pytest.raises(ValueError, match="choose frame=moments"):
        PolarEncoder(1, place=True)


def test_any_canvas_and_colours_give_the_embedding_that_was_asked_for():
    encoder = PolarEncoder(3, moment_frame, features=40).eval()
    assert encoder(torch.rand(2, 3, 42, 30)).shape == (2, 40)


def test_widths_without_strides_are_refused():
    with pytest.raises(ValueError, match="as many strides"):
        PolarEncoder(1, widths=(8, 8), strides=(1,))


def test_framed_encoder_shows_the_encoder_the_image_in_its_frame():
    torch.manual_seed(0)
    inner = ConvEncoder(1, (28, 28), widths=(4, 4), strides=(2, 2), neck=2, features=8).eval()
    framed = FramedEncoder(inner, moment_frame, (28, 28)).eval()
    images = smooth_images(2)
    expected = inner(warp(images, moment_frame(images)))
    torch.testing.assert_close(framed(images), expected)
    assert framed.features == 8


class Brightness(torch.nn.Module):
    features = 1

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image.mean((1, 2, 3))[:, None]


def test_corners_that_a_turned_frame_cuts_off_are_filled_as_the_correcting_warp_fills_them():
    grey, eighth = torch.full((1, 1, 28, 28), 0.6), torch.tensor([torch.pi / 4])
    filled, cut = (
        FramedEncoder(Brightness(), canvas_frame, (28, 28), p) for p in ("disc", "zeros")
    )
    assert float(filled(grey, eighth)) == pytest.approx(0.6)
    octagon = 2 * (2**0.5 - 1)  # what a square and its eighth of a turn share, of the square
    assert float(cut(grey, eighth)) == pytest.approx(0.6 * octagon, abs=0.01)


def test_the_gradient_around_the_circle_is_that_of_the_plain_concatenation():
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 3, 4, 8, dtype=torch.float64)
    plain = torch.cat([x[..., -1:], x, x[..., :1]], dim=-1)
    expected = torch.autograd.grad((weights * plain).sum(), x)[0]
    around = AroundTheCircle.apply(x)
    assert torch.equal(around, plain)
    torch.testing.assert_close(torch.autograd.grad((weights * around).sum(), x)[0], expected)
    assert torch.autograd.gradcheck(AroundTheCircle.apply, (x,))
