import pytest
import torch

from diffstn.metrics.labels.calibration import Calibration, posterior


def opinions(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(n, 10, generator=generator).mul(2).softmax(-1) for _ in range(2))


def fitted(b: torch.Tensor, m: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    metric = Calibration()
    for some in torch.arange(len(label)).split(300):
        metric.update(b[some], m[some], label[some])
    return metric.compute()


def drawn(p: torch.Tensor, seed: int = 1) -> torch.Tensor:
    return p.multinomial(1, generator=torch.Generator().manual_seed(seed))[:, 0]


@pytest.mark.parametrize("powers", [(1.0, 0.0), (0.8, 1.1), (0.0, 0.5), (2.0, 0.3)])
def test_it_finds_the_powers_by_which_labels_were_drawn(powers):
    b, m = opinions(20_000)
    found = fitted(b, m, drawn(posterior(b, m, powers)))
    assert found.tolist() == pytest.approx(powers, abs=0.05)
    assert (found >= 0).all()


def test_independent_opinions_are_multiplied():
    # y uniform, b and m proportional to independent likelihoods of it: p(y | both) ∝ b m
    generator = torch.Generator().manual_seed(2)
    label = torch.randint(10, (20_000,), generator=generator)
    means = torch.eye(10)[label] * 2
    shown = [means + torch.randn(means.shape, generator=generator) for _ in range(2)]
    b, m = ((2 * x).softmax(-1) for x in shown)  # log N(x; 2 e_y, 1) = 2 x_y + what has no y
    assert fitted(b, m, label).tolist() == pytest.approx([1, 1], abs=0.04)


def test_the_posterior_is_a_distribution_and_of_1_and_0_the_first_opinion():
    b, m = opinions(50)
    assert posterior(b, m, (1, 0)) is b
    mixed = posterior(b, m, (1, 1))
    assert torch.allclose(mixed, b * m / (b * m).sum(-1, keepdim=True))
    certain = torch.eye(10)[:5]
    assert torch.isfinite(posterior(certain, certain.flip(0), (1, 1)).log()).all()


def test_a_handful_of_answers_says_little_and_a_power_is_never_below_0():
    b, m = opinions(3)
    assert (fitted(b, m, b.argmax(-1)) - torch.tensor([1.0, 0.0])).abs().max() < 1.5
    b, m = opinions(5000)
    against = fitted(b, m, drawn(posterior(b, 1 / m, (1, 1))))
    assert against[1] == 0
    assert against[0] > 0.5
