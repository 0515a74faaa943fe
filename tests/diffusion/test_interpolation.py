import torch

from diffstn.diffusion.interpolation import encode, linear, spherical
from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.schedules import Cosine

WEIGHTS = torch.linspace(0, 1, 5)


def test_both_start_and_end_where_they_should():
    a, b = torch.randn(2, 3, 8, 8)
    for way in (linear, spherical):
        path = way(a, b, WEIGHTS)
        assert path.shape == (5, 3, 8, 8)
        torch.testing.assert_close(path[0], a)
        torch.testing.assert_close(path[-1], b)


def test_the_arc_keeps_the_length_of_noise_and_the_line_does_not():
    a, b = torch.randn(2, 100_000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(spherical(a, b, WEIGHTS).std(1), torch.ones(5), atol=0.01, rtol=0)
    torch.testing.assert_close(
        linear(a, b, WEIGHTS)[2].std(), torch.tensor(0.5**0.5), atol=0.01, rtol=0
    )


def test_parallel_vectors_have_no_arc():
    a = torch.randn(10)
    torch.testing.assert_close(spherical(a, 2 * a, WEIGHTS), linear(a, 2 * a, WEIGHTS))


def test_what_is_encoded_is_sampled_again(gaussian):
    schedule = Cosine(500)
    denoiser, sampler = gaussian(schedule), DDIM(steps=None)
    x_0 = 1.5 + 0.5 * torch.randn(200, 1, generator=torch.Generator().manual_seed(0))
    x_T = encode(denoiser, x_0, sampler.timesteps(schedule))
    assert abs(float(x_T.mean())) < 0.2
    assert 0.8 < float(x_T.std()) < 1.2
    torch.testing.assert_close(sampler(denoiser, x_T), x_0, atol=0.02, rtol=0)
