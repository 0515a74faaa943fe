import torch

from diffstn.diffusion.schedules import Quadratic


def test_the_roots_of_beta_are_evenly_spaced():
    schedule = Quadratic(50, 1e-3, 0.1)
    roots = schedule.beta(torch.arange(1, 51)).sqrt()
    torch.testing.assert_close(roots, torch.linspace(1e-3**0.5, 0.1**0.5, 50), rtol=1e-5, atol=0)
