"""Whitening against its definition."""

import pytest
import torch
import torch.nn.functional as F

from diffstn.networks.blocks.patch_whitening import PatchWhitening


def smooth(n: int, channels: int = 3) -> torch.Tensor:
    """Images whose neighbouring pixels are alike, and whose channels are, too."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(n, channels, 5, 5, generator=generator)
    images = F.interpolate(coarse + coarse.mean(1, keepdim=True), (12, 10), mode="bicubic")
    return images / 2 + 0.01 * torch.rand(images.shape, generator=generator)


def fitted(images: torch.Tensor, kernel: int = 2, eps: float = 0.0) -> PatchWhitening:
    layer = PatchWhitening(images.shape[1], kernel, eps)
    layer.fit_to_images(images.split(7))
    return layer


def covariance(answers: torch.Tensor) -> torch.Tensor:
    """(n, n), of the first n of 2n channels over all places."""
    n = answers.shape[1] // 2
    return torch.cov(answers[:, :n].double().transpose(0, 1).flatten(1), correction=0)


@pytest.mark.parametrize(("channels", "kernel"), [(1, 2), (3, 2), (2, 3)])
def test_the_covariance_of_patches_becomes_the_identity(channels: int, kernel: int):
    images = smooth(40, channels)
    before = torch.cov(F.unfold(images, kernel).transpose(0, 1).flatten(1).double())
    assert before.diag().max() < 0.2
    answers = fitted(images, kernel)(images)
    n = channels * kernel**2
    assert answers.shape == (40, 2 * n, 13 - kernel, 11 - kernel)
    torch.testing.assert_close(
        covariance(answers), torch.eye(n, dtype=torch.float64), atol=2e-3, rtol=0
    )


def test_what_is_added_to_the_variances_shrinks_each_axis_by_its_own_share():
    images, eps = smooth(40), 1e-3
    patches = F.unfold(images, 2).transpose(0, 1).flatten(1).double()
    variances = torch.linalg.eigvalsh(torch.cov(patches, correction=0))
    found = covariance(fitted(images, eps=eps)(images))
    assert variances.min() < eps < variances.max()
    expected = (variances / (variances + eps)).diag()
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=0)


def test_both_signs_of_every_number_and_a_mean_of_nothing():
    images = smooth(40)
    answers = fitted(images, eps=1e-3)(images)
    torch.testing.assert_close(answers[:, :12], -answers[:, 12:])
    assert answers.mean((0, 2, 3)).abs().max() < 0.05  # μ is of the channel, not of the place


def test_unfitted_it_shows_the_pixels_themselves():
    images = smooth(2)
    answers = PatchWhitening(3)(images)
    assert torch.equal(answers[:, 0], images[:, 0, :-1, :-1])
    assert torch.equal(answers[:, 12 + 11], -images[:, 2, 1:, 1:])


def test_constant_images_leave_it_finite():
    layer = fitted(torch.full((4, 1, 6, 6), 0.5), eps=3e-5)
    assert torch.isfinite(layer.weight).all()
    assert layer(torch.full((1, 1, 6, 6), 0.5)).abs().max() < 1e-3


def test_it_is_not_fitted_twice_and_what_was_fitted_travels_with_the_weights():
    images = smooth(20)
    layer, other = fitted(images), PatchWhitening(3)
    other.load_state_dict(layer.state_dict())
    before = layer.weight.clone()
    for one in (layer, other):
        one.fit_to_images([1 - images.square()])
        assert torch.equal(one.weight, before)
        assert torch.equal(one.mean, layer.mean)


def test_it_learns_nothing_and_lets_gradients_through():
    images = smooth(3).requires_grad_()
    layer = fitted(images.detach())
    assert not list(layer.parameters())
    layer(images).square().sum().backward()
    assert layer.weight.grad is None
    assert (images.grad != 0).any()


def test_half_precision_around_it_costs_no_digits():
    images = smooth(4)
    layer = fitted(images, eps=3e-5)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(images), layer(images))
        found = layer(images)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, layer(images))


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="there are none"):
        PatchWhitening(3).fit_to_images([])
