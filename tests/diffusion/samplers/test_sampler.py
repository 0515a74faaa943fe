from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from diffstn.diffusion.denoiser import Denoised
from diffstn.diffusion.samplers import (
    DDIM,
    DEIS,
    Ancestral,
    AnnealedLangevin,
    DPMSolver,
    Langevin,
    Sampler,
)
from diffstn.diffusion.schedules import Cosine

every_sampler = pytest.mark.parametrize(
    "sampler",
    [
        Ancestral(steps=8),
        DDIM(steps=8),
        DDIM(steps=8, eta=0.5),
        DPMSolver(steps=8, spacing="trailing"),
        DEIS(steps=8, spacing="trailing"),
        Langevin(steps=8),
        AnnealedLangevin(steps=8, spacing="trailing", each=2),
    ],
    ids=["ddpm", "ddim", "ddim-eta", "dpm-solver", "deis", "langevin", "annealed"],
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
    # a solver of third order corrects its last step, and Langevin dynamics go on at each level
    if sampler.memory < 2 and not isinstance(sampler, AnnealedLangevin):
        torch.testing.assert_close(walk[-1][1], walk[-2][2])
    assert walk[-1][2] is walk[-1][1]
    assert torch.equal(walk[-1][1], sampler(denoiser, x_T, torch.Generator().manual_seed(3)))


def test_all_timesteps_by_default_of_none(gaussian):
    walk = list(DDIM(steps=None).trajectory(gaussian(Cosine(12)), torch.randn(1, 6)))
    assert [t for t, _, _ in walk] == list(range(12, -1, -1))


def test_progress_sees_every_jump(gaussian):
    seen = []

    def progress(jumps):
        for jump in jumps:
            seen.append(jump)
            yield jump

    Ancestral(steps=3)(gaussian(Cosine(30)), torch.randn(2, 6), progress=progress)
    assert seen == [(30, 20), (20, 10), (10, 0)]


def test_a_multistep_solver_remembers_as_much_as_it_asks_for(gaussian):
    lengths, times = [], []

    class Multistep(Sampler):
        memory = 2

        def step(self, jump):
            lengths.append(len(jump.history))
            times.append([r[0].item() for r, _ in jump.history])
            assert all(isinstance(past, Denoised) for _, past in jump.history)
            return jump.denoised.x_0

    Multistep(steps=4)(gaussian(Cosine(8)), torch.randn(2, 6))
    assert lengths == [0, 1, 2, 2]
    assert times[-1] == [6, 4]  # oldest first, without the present t = 2


def test_conditions_reach_the_denoiser_at_every_step(gaussian):
    denoiser, seen = gaussian(Cosine(8)), []

    class Conditioned:
        process = denoiser.process

        def __call__(self, x_t, t, s, label):
            seen.append((t.tolist(), s.tolist(), label.item()))
            return denoiser(x_t, t, s=s)

    Ancestral(steps=2)(Conditioned(), torch.randn(2, 6), label=torch.tensor(7))
    assert seen == [([8, 8], [4, 4], 7), ([4, 4], [0, 0], 7)]


def test_gradients_flow_to_the_start(gaussian):
    x_T = torch.randn(2, 6, requires_grad=True)
    DDIM(steps=4)(gaussian(Cosine(8)), x_T).sum().backward()
    assert (x_T.grad > 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "one step or more"),
        ({"spacing": "random"}, "choose one of uniform, trailing, quadratic, cubic, log_snr"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Ancestral(**arguments)


@every_sampler
def test_more_steps_than_timesteps_are_refused(gaussian, sampler):
    with pytest.raises(ValueError, match="cannot take 8 sampling steps on a schedule of 5"):
        sampler(gaussian(Cosine(5)), torch.randn(2, 6))


@every_sampler
def test_settings_are_frozen_and_another_sampler_has_others(sampler):
    with pytest.raises(FrozenInstanceError):
        sampler.steps = 40
    longer = replace(sampler, steps=40)
    assert (longer.steps, sampler.steps) == (40, 8)
    assert type(longer) is type(sampler)
    assert replace(longer, steps=8) == sampler
    assert longer.timesteps(Cosine(40)).tolist() == list(range(40, -1, -1))
    with pytest.raises(ValueError, match="one step or more"):
        replace(sampler, steps=0)


def test_settings_are_named():
    with pytest.raises(TypeError, match="positional"):
        DDIM(10)


def test_the_memory_of_deis_follows_its_order():
    assert [DEIS(order=order).memory for order in (1, 2, 3)] == [0, 1, 2]
    assert replace(DEIS(order=1), order=3).memory == 2
