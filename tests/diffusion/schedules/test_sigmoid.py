import torch

from diffstn.diffusion.schedules import Sigmoid


def test_ends_middle_and_symmetry():
    beta = Sigmoid(101, 0.01, 0.11).beta(torch.arange(1, 102))
    torch.testing.assert_close(beta[50].item(), 0.06, rtol=1e-5, atol=0)
    torch.testing.assert_close(beta[0].item(), 0.01 + 0.1 / (1 + 2.718281828**6), rtol=1e-5, atol=0)
    torch.testing.assert_close(beta + beta.flip(0), torch.full((101,), 0.12), rtol=1e-4, atol=0)
    assert (beta.diff() > 0).all()
