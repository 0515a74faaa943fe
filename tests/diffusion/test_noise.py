import torch

from diffstn.diffusion.noise import gaussian_noise


def test_a_generator_decides_the_noise():
    x = torch.zeros(3, 5)
    first, again = (gaussian_noise(x, torch.Generator().manual_seed(1)) for _ in range(2))
    other = gaussian_noise(x, torch.Generator().manual_seed(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_shape_dtype_and_moments():
    torch.manual_seed(0)
    noise = gaussian_noise(torch.zeros(100, 100, dtype=torch.float64))
    assert noise.shape == (100, 100)
    assert noise.dtype == torch.float64
    assert abs(noise.mean()) < 0.04  # four standard errors
    assert abs(noise.std() - 1) < 0.03
