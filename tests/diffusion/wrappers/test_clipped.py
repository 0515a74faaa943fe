import pytest
import torch

from diffstn.diffusion.denoiser import Denoised
from diffstn.diffusion.samplers import DDIM, DEIS, Ancestral, DPMSolver, Langevin
from diffstn.diffusion.schedules import Cosine
from diffstn.diffusion.wrappers import ByClassifier, ClassifierFree, Clipped


class Says:
    """A denoiser of one answer, which remembers what it was asked."""

    schedule = Cosine(40)

    def __init__(self, x_0):
        self.x_0 = x_0

    def __call__(self, x_t, t, /, **condition):
        self.asked = condition
        return Denoised(self.x_0, torch.zeros_like(x_t), lambda: torch.full_like(x_t, -3.0))


def arguments(shape=(6, 3, 5)):
    """x̂_0 far out of [−1, 1], x_t and t."""
    generator = torch.Generator().manual_seed(0)
    x_0, x_t = torch.randn(2, *shape, generator=generator)
    return 3 * x_0, x_t, torch.randint(1, 41, shape[:1], generator=generator)


@pytest.mark.parametrize("clip", [1.0, 0.4])
@pytest.mark.parametrize("quantile", [None, 0.9])
def test_it_is_the_formula_to_the_bit(clip, quantile):
    """Runs that were trained and judged before it was a wrapper keep their numbers."""
    x_0, x_t, t = arguments()
    if quantile is None:
        bounded = x_0.clamp(-clip, clip)
    else:
        reach = x_0.abs().flatten(1).quantile(quantile, dim=1).clamp(min=clip)[:, None, None]
        bounded = x_0.clamp(-reach, reach) * (clip / reach)
    alpha, sigma = (f(t)[:, None, None] for f in (Says.schedule.alpha, Says.schedule.sigma))
    found = Clipped(Says(x_0), clip, quantile)(x_t, t)
    assert torch.equal(found.x_0, bounded)
    assert torch.equal(found.eps, (x_t - alpha * bounded) / sigma)
    assert (found.log_variance == -3).all()
    torch.testing.assert_close(Says.schedule.add_noise(found.x_0, t, found.eps), x_t)


def test_dynamic_clipping_keeps_what_lies_below_the_quantile_and_shrinks_the_rest():
    x_0 = torch.tensor([[0.1, -0.5, 0.9], [0.1, -2.0, 4.0]])
    found = Clipped(Says(x_0), 1.0, 0.5)(x_0, torch.tensor([20, 20])).x_0
    # the medians are 0.5, below the bound, and 2
    torch.testing.assert_close(found, torch.tensor([[0.1, -0.5, 0.9], [0.05, -1.0, 1.0]]))


def test_without_a_clip_everything_passes_as_it_is():
    x_0, x_t, t = arguments()
    denoiser = Says(x_0)
    found = Clipped(denoiser)(x_t, t, s=t - 1, label=t)
    assert found.x_0 is x_0
    assert not found.eps.any()
    assert denoiser.asked.keys() == {"s", "label"}
    assert Clipped(denoiser).schedule is denoiser.schedule


@pytest.mark.parametrize(
    "sampler",
    [
        Ancestral(steps=8),
        DDIM(steps=8, eta=0.5),
        DPMSolver(steps=8, spacing="trailing"),
        DEIS(steps=8),
        Langevin(steps=8),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
def test_samplers_see_bounded_estimates_only(gaussian, sampler):
    denoiser = Clipped(gaussian(Cosine(40)), 1.0)
    walk = list(sampler.trajectory(denoiser, torch.randn(50, 6)))
    estimates = [x_0 for t, _, x_0 in walk if t]
    assert max(x_0.abs().max().item() for x_0 in estimates) == pytest.approx(1)  # the mean is 1.5


def test_wrappers_nest_in_any_order(denoiser, opinion):
    x_t, t, label = 2 * torch.randn(50, 1), torch.full((50,), 80), torch.arange(50) % 2
    s = torch.full((50,), 40)
    led = ByClassifier(ClassifierFree(denoiser, 4.0), opinion, 2.0, heard=True)
    outer = Clipped(led, 1.2)
    assert outer.schedule is denoiser.schedule
    free = led(x_t, t, s=s, label=label)
    found = outer(x_t, t, s=s, label=label)
    assert (free.x_0.abs() > 1.2).any()
    assert torch.equal(found.x_0, free.x_0.clamp(-1.2, 1.2))
    assert torch.equal(found.log_variance, denoiser(x_t, t, s=s).log_variance)
    inner = ClassifierFree(Clipped(denoiser, 1.2), 4.0)(x_t, t, s=s, label=label)
    told, alone = (Clipped(denoiser, 1.2)(x_t, t, **c) for c in ({"label": label}, {}))
    torch.testing.assert_close(inner.x_0, 5 * told.x_0 - 4 * alone.x_0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((0.0,), "clip must be positive, or null for none; got 0.0"),
        ((None, 0.9), "clip_quantile=0.9 is a share, between 0 and 1, and needs a clip"),
        ((1.0, 1.0), "clip_quantile=1.0 is a share, between 0 and 1, and needs a clip"),
    ],
)
def test_what_is_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Clipped(Says(torch.zeros(2, 3)), *settings)
