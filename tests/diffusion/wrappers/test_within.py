import torch

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.wrappers import ClassifierFree, Within


def test_it_is_led_within_and_plain_without(denoiser: Denoiser):
    led = ClassifierFree(denoiser, 2.0)
    within = Within(denoiser, led, 50, 100)
    x_t, label = torch.randn(5, 1), torch.tensor([0, 1, 1, 0, 1])
    for t, expected in ((49, denoiser), (50, led), (100, led), (101, denoiser)):
        step = torch.full((5,), t)
        found, wanted = within(x_t, step, label=label), expected(x_t, step, label=label)
        assert torch.equal(found.x_0, wanted.x_0)
        assert torch.equal(found.eps, wanted.eps)


def test_each_item_of_a_batch_by_its_own_timestep(denoiser: Denoiser):
    led = ClassifierFree(denoiser, 2.0)
    x_t, label, t = torch.randn(3, 1), torch.tensor([0, 1, 1]), torch.tensor([10, 70, 150])
    found = Within(denoiser, led, 50, 100)(x_t, t, label=label)
    plain, guided = denoiser(x_t, t, label=label), led(x_t, t, label=label)
    assert torch.equal(found.eps[[0, 2]], plain.eps[[0, 2]])
    assert torch.equal(found.eps[1], guided.eps[1])


def test_beyond_the_interval_guidance_costs_nothing(denoiser: Denoiser):
    calls = []

    def led(*arguments, **condition):
        calls.append(arguments)
        return denoiser(*arguments, **condition)

    within = Within(denoiser, led, 50, 100)  # type: ignore[arg-type]
    within(torch.randn(2, 1), torch.full((2,), 120))
    assert not calls
