"""What the improved walk makes of a restorer that errs, worked out."""

import pytest
import torch

from diffstn.diffusion.processes import Blur, Gaussian, Pixelate
from diffstn.diffusion.restorer import Restored, Restorer
from diffstn.diffusion.samplers import DDIM, Cold, ColdNaive, collect
from diffstn.diffusion.schedules import Cosine


class Fading:
    """D(x, t) = x + t e: linear in t, with the same e for all x."""

    steps = 10

    def __init__(self, e):
        self.e = e

    def corrupt(self, x_0, t, noise=None):
        return x_0 + t[:, None] * self.e


class Wrong:
    """A restorer that knows x_0 but for an error, and for another one at every t."""

    def __init__(self, process, x_0, error):
        self.process, self.x_0, self.error = process, x_0, error

    def __call__(self, x_t, t, s=None, **condition):
        sized = (t / self.process.steps).reshape(-1, *[1] * (x_t.ndim - 1))
        return Restored(self.x_0 + self.error * sized, None)


def walked(sampler, process, x_0, error):
    T = torch.full((len(x_0),), process.steps)
    return sampler(Wrong(process, x_0, error), process.corrupt(x_0, T, None))


def test_where_degrading_is_linear_in_t_the_improved_walk_forgives_any_error():
    """x_s = x_t − (x̂ + t e) + (x̂ + s e) = x_t − (t − s) e whatever x̂ is (section 3.3)."""
    x_0, error, e = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0))
    process = Fading(e)
    torch.testing.assert_close(walked(Cold(), process, x_0, error), x_0)
    naive = walked(ColdNaive(), process, x_0, error)
    torch.testing.assert_close(naive, x_0 + error / 10)  # the error of the last estimate, in full


@pytest.mark.parametrize("process", [Blur(1, (8, 8), 6), Pixelate(1, (8, 8), 6)])
def test_a_linear_process_takes_from_the_estimate_only_what_changes(process):
    """The errors are Σ (D_s − D_t) e_t and, naively, e_1."""
    x_0, error = torch.randn(2, 2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = torch.zeros_like(x_0)
    for t in range(6, 0, -1):
        now = error * t / 6
        expected += process.corrupt(now, torch.full((2,), t - 1))
        expected -= process.corrupt(now, torch.full((2,), t))
    found = walked(Cold(), process, x_0, error) - x_0
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    naive = walked(ColdNaive(), process, x_0, error) - x_0
    torch.testing.assert_close(naive, error / 6, atol=1e-5, rtol=1e-4)


def test_an_error_that_the_process_does_not_touch_never_enters():
    """The mean of an image never changes on the way, so no estimate can change it."""
    process, error = Pixelate(1, (8, 8), 6), torch.ones(2, 1, 8, 8)
    x_0 = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(walked(Cold(), process, x_0, error), x_0, atol=1e-5, rtol=0)
    assert float((walked(ColdNaive(), process, x_0, error) - x_0).mean()) == pytest.approx(1 / 6)


def test_for_the_mean_of_what_an_image_may_have_been_both_walk_alike():
    """Of x_0 ~ N(0, S): E[x_0 | x_t] = S Dᵀ (D S Dᵀ)⁺ x_t, and D of that is x_t again."""
    g = torch.Generator().manual_seed(0)
    process, root = Pixelate(1, (4, 4), 2), torch.randn(16, 16, generator=g, dtype=torch.float64)
    S = root @ root.T
    gains = []
    for t in range(3):
        L = process.rows[t].double()
        D = torch.kron(L, L)
        gains.append(S @ D.T @ torch.linalg.pinv(D @ S @ D.T, hermitian=True, rtol=1e-9))

    class Mean:
        def __init__(self):
            self.process = process

        def __call__(self, x_t, t, s=None, eps=None):
            gain = gains[int(t[0])]
            x_0 = (gain @ x_t.double().flatten(1).mT).mT
            return Restored(x_0.reshape(x_t.shape).float(), eps)

    x_0 = torch.randn(8, 1, 4, 4, generator=g)
    x_T = process.corrupt(x_0, torch.full((8,), 2))
    improved, naive = Cold()(Mean(), x_T), ColdNaive()(Mean(), x_T)
    torch.testing.assert_close(improved, naive, atol=1e-3, rtol=1e-3)
    again = process.corrupt(improved, torch.full((8,), 2))
    torch.testing.assert_close(again, x_T, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", [Cold, ColdNaive])
def test_for_gaussian_noise_both_are_ddim(gaussian, kind):
    denoiser, x_T = gaussian(Cosine(40)), torch.randn(16, 3)
    expected = DDIM(steps=8)(denoiser, x_T)
    torch.testing.assert_close(kind(steps=8)(denoiser, x_T), expected, atol=1e-5, rtol=1e-4)
    assert isinstance(denoiser.process, Gaussian)


def test_a_group_says_what_stands_for_plus_and_minus():
    class Factors:
        """D(x, t) = x r^t of positive numbers."""

        steps = 4

        def corrupt(self, x_0, t, noise=None):
            return x_0 * 0.5 ** t[:, None]

        def exchanged(self, x_t, before, after):
            return x_t / before * after

    x_0 = torch.rand(3, 2) + 1
    torch.testing.assert_close(walked(Cold(), Factors(), x_0, torch.ones(3, 2)), x_0)


def test_fewer_steps_and_a_restorer_of_what_is_lacking():
    process = Pixelate(1, (8, 8), 6)
    restorer = Restorer(lambda x_t, t: -0.5 * x_t, process)
    x_T = torch.rand(2, 1, 8, 8)
    kept = collect(Cold(steps=3).trajectory(restorer, x_T))
    assert kept.timesteps == [6, 4, 2, 0]
    torch.testing.assert_close(kept.x_0[0], 0.5 * x_T)
    plain = Restorer(lambda x_t, t: -0.5 * x_t, process, residual=False)
    torch.testing.assert_close(plain(x_T, torch.tensor([6, 6])).x_0, -0.5 * x_T)
