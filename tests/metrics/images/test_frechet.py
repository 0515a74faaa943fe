import pytest
import torch

from diffstn.metrics.images import Moments, frechet_distance


def spd(n, generator):
    a = torch.randn(n, n, generator=generator, dtype=torch.float64)
    return a @ a.T / n


def test_it_is_the_distance_of_normals_in_closed_form():
    """For covariances that commute, the distance is that of the standard deviations."""
    generator = torch.Generator().manual_seed(0)
    basis, _ = torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64))
    a, b = torch.rand(2, 5, generator=generator, dtype=torch.float64)
    mean_a, mean_b = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    found = frechet_distance(mean_a, basis * a @ basis.T, mean_b, basis * b @ basis.T)
    expected = (mean_a - mean_b).square().sum() + (a.sqrt() - b.sqrt()).square().sum()
    torch.testing.assert_close(found, expected)


def test_it_agrees_with_the_matrix_root_of_scipy():
    from scipy.linalg import sqrtm

    generator = torch.Generator().manual_seed(0)
    a, b = spd(30, generator), spd(30, generator)
    mean = torch.zeros(30, dtype=torch.float64)
    root = torch.as_tensor(sqrtm((a @ b).numpy()).real)
    expected = a.trace() + b.trace() - 2 * root.trace()
    torch.testing.assert_close(frechet_distance(mean, a, mean, b), expected)


def test_singular_covariances_do_no_harm():
    flat = torch.zeros(6, 6, dtype=torch.float64)
    flat[0, 0] = 4.0
    zero = torch.zeros(6, dtype=torch.float64)
    assert float(frechet_distance(zero, flat, zero, flat)) == pytest.approx(0, abs=1e-9)
    assert float(frechet_distance(zero, flat, zero, 0 * flat)) == pytest.approx(4.0)


def test_moments_of_a_stream_are_those_of_the_whole():
    x = 1000 + torch.randn(1001, 7, generator=torch.Generator().manual_seed(0))
    moments = Moments(7)
    for part in x.split(100):
        moments.update(part)
    mean, covariance = moments.compute()
    torch.testing.assert_close(mean, x.double().mean(0))
    torch.testing.assert_close(covariance, x.double().T.cov(), rtol=1e-6, atol=1e-6)
    assert sum(t.numel() for t in (moments.count, moments.total, moments.outer)) == 1 + 7 + 49
    with pytest.raises(ValueError, match="two vectors"):
        Moments(3).compute()


def means(images):
    """Features (B, 4): the mean of each channel and of each half."""
    return torch.cat([images[..., :4].mean((2, 3)), images[..., 4:].mean((2, 3))], 1)


def test_moments_of_features_separate_real_from_generated():
    generator = torch.Generator().manual_seed(0)
    real, alike, darker = torch.rand(3, 400, 2, 8, 8, generator=generator)
    found = []
    for images in (real, alike, darker / 2):
        moments = Moments(4)
        for part in images.split(150):
            moments.update(means(part))
        found.append(moments.compute())
    near, far = (float(frechet_distance(*one, *found[0])) for one in found[1:])
    assert near < 0.01 < far
    assert far == pytest.approx(4 * 0.25**2, rel=0.1)  # four means of ½ became ¼


def test_moments_of_two_devices_add_up():
    vectors = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    whole, parts = Moments(3), [Moments(3), Moments(3)]
    whole.update(vectors)
    for part, some in zip(parts, vectors.split(20), strict=True):
        part.update(some)
    parts[0].merge_state(parts[1])
    torch.testing.assert_close(parts[0].compute(), whole.compute())
