import pytest
import torch

from diffstn.diffusion.denoiser import Denoised
from diffstn.diffusion.samplers import DDIM, Ancestral, Sampler
from diffstn.diffusion.schedules import Cosine

every_sampler = pytest.mark.parametrize(
    "sampler", [Ancestral(8), DDIM(8), DDIM(8, eta=0.5)], ids=["ddpm", "ddim", "ddim-eta"]
)


@every_sampler
@pytest.mark.parametrize("shape", [(2, 6), (2, 16, 2), (2, 3, 8, 8), (0, 6)])
def test_any_shape(gaussian, sampler, shape):
    assert sampler(gaussian(Cosine(40)), torch.randn(shape)).shape == shape


@every_sampler
def test_a_generator_decides_the_sample(gaussian, sampler):
    denoiser, x_T = gaussian(Cosine(40)), torch.randn(5, 6)
    once, again = (sampler(denoiser, x_T, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(once, again)


@every_sampler
def test_the_trajectory_goes_from_noise_to_the_sample(gaussian, sampler):
    denoiser, x_T = gaussian(Cosine(40)), torch.randn(5, 6)
    walk = list(sampler.trajectory(denoiser, x_T, torch.Generator().manual_seed(3)))
    assert [t for t, _, _ in walk] == [40, 35, 30, 25, 20, 15, 10, 5, 0]
    assert walk[0][1] is x_T
    torch.testing.assert_close(walk[-1][1], walk[-2][2])  # the last step takes the estimate
    assert walk[-1][2] is walk[-1][1]
    assert torch.equal(walk[-1][1], sampler(denoiser, x_T, torch.Generator().manual_seed(3)))


def test_all_timesteps_by_default_of_none(gaussian):
    walk = list(DDIM(None).trajectory(gaussian(Cosine(12)), torch.randn(1, 6)))
    assert [t for t, _, _ in walk] == list(range(12, -1, -1))


def test_progress_sees_every_jump(gaussian):
    seen = []

    def progress(jumps):
        for jump in jumps:
            seen.append(jump)
            yield jump

    Ancestral(3)(gaussian(Cosine(30)), torch.randn(2, 6), progress=progress)
    assert seen == [(30, 20), (20, 10), (10, 0)]


@every_sampler
def test_clip_bounds_the_estimate(gaussian, sampler):
    clipped = type(sampler)(8, clip=1.0)
    walk = list(clipped.trajectory(gaussian(Cosine(40)), torch.randn(50, 6)))
    assert max(x_0.abs().max().item() for _, _, x_0 in walk) == pytest.approx(1)  # the mean is 1.5


def test_dynamic_clipping_keeps_what_lies_below_the_quantile_and_shrinks_the_rest(gaussian):
    x_T = torch.tensor([[0.1, -0.5, 0.9], [0.1, -2.0, 4.0]])
    sampler = DDIM(1, clip=1.0, clip_quantile=0.5)
    denoised = Denoised(x_T, torch.zeros(2, 3), torch.zeros(2, 1))
    schedule = Cosine(40)
    found = sampler._clipped(denoised, x_T, torch.tensor([20, 20]), schedule).x_0
    # the medians are 0.5, below the bound, and 2
    torch.testing.assert_close(found, torch.tensor([[0.1, -0.5, 0.9], [0.05, -1.0, 1.0]]))


def test_clipped_noise_still_accounts_for_x_t(gaussian):
    schedule = Cosine(40)
    seen = []

    class Spy(DDIM):
        def step(self, jump):
            x_0, eps = jump.denoised.x_0, jump.denoised.eps
            seen.append((jump.schedule.add_noise(x_0, jump.t, eps), jump.x_t))
            return super().step(jump)

    Spy(8, clip=1.0)(gaussian(schedule), torch.randn(50, 6))
    assert len(seen) == 8
    for rebuilt, x_t in seen:
        torch.testing.assert_close(rebuilt, x_t)


def test_a_multistep_solver_remembers_as_much_as_it_asks_for(gaussian):
    lengths, times = [], []

    class Multistep(Sampler):
        memory = 2

        def step(self, jump):
            lengths.append(len(jump.history))
            times.append([r[0].item() for r, _ in jump.history])
            assert all(isinstance(past, Denoised) for _, past in jump.history)
            return jump.denoised.x_0

    Multistep(4)(gaussian(Cosine(8)), torch.randn(2, 6))
    assert lengths == [0, 1, 2, 2]
    assert times[-1] == [6, 4]  # oldest first, without the present t = 2


def test_conditions_reach_the_denoiser_at_every_step(gaussian):
    denoiser, seen = gaussian(Cosine(8)), []

    class Conditioned:
        schedule = denoiser.schedule

        def __call__(self, x_t, t, s, label):
            seen.append((t.tolist(), s.tolist(), label.item()))
            return denoiser(x_t, t, s=s)

    Ancestral(2)(Conditioned(), torch.randn(2, 6), label=torch.tensor(7))
    assert seen == [([8, 8], [4, 4], 7), ([4, 4], [0, 0], 7)]


def test_gradients_flow_to_the_start(gaussian):
    x_T = torch.randn(2, 6, requires_grad=True)
    DDIM(4)(gaussian(Cosine(8)), x_T).sum().backward()
    assert (x_T.grad > 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "one step or more"),
        ({"spacing": "random"}, "choose one of uniform, trailing, quadratic, cubic, log_snr"),
        ({"clip": 0.0}, "clip must be positive"),
        ({"clip_quantile": 0.9}, "needs a clip"),
        ({"clip": 1.0, "clip_quantile": 1.0}, "between 0 and 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Ancestral(**arguments)


@every_sampler
def test_more_steps_than_timesteps_are_refused(gaussian, sampler):
    with pytest.raises(ValueError, match="cannot take 8 sampling steps on a schedule of 5"):
        sampler(gaussian(Cosine(5)), torch.randn(2, 6))
