"""A student's step against the teacher's walk, on data whose denoiser is known on paper."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diffstn.diffusion import Denoised, Denoiser, Gaussian
from diffstn.diffusion.losses.distilled import DistilledLoss
from diffstn.diffusion.samplers import DDIM, Ancestral
from diffstn.diffusion.schedules import Cosine, Schedule

MEAN, VARIANCE = 0.6, 0.09


class Perfect(nn.Module):
    """v̂ for x_0 ~ N(m, p): x̂_0 = m + α p (x_t − α m) / (α² p + σ²)."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule
        self.asked: list[Tensor] = []

    def forward(self, x_t: Tensor, t: Tensor, **condition: Tensor) -> Tensor:
        self.asked.append(t)
        alpha, sigma = (f(t)[:, None] for f in (self.schedule.alpha, self.schedule.sigma))
        gain = alpha * VARIANCE / (alpha**2 * VARIANCE + sigma**2)
        x_0 = MEAN + gain * (x_t - alpha * MEAN)
        return (alpha * x_t - x_0) / sigma


class Jumping:
    """A student that answers what the loss asks for."""

    def __init__(self, loss: DistilledLoss, denoiser: Denoiser) -> None:
        self.loss, self.denoiser = loss, denoiser
        self.process, self.schedule = denoiser.process, denoiser.schedule
        self.prediction = denoiser.prediction

    def __call__(self, x_t: Tensor, t: Tensor, s: Tensor, **condition: Tensor) -> Denoised:
        walk = self.loss.walk(self.schedule)
        halts = torch.stack([walk[walk[:, 0] == now][0] for now in t])
        assert torch.equal(halts[:, -1], s)
        x_0, eps = self.loss.target(self.denoiser, x_t, halts)
        return Denoised(x_0, eps, lambda: torch.zeros(()))


def build(steps: int = 3, m: int = 4, **sampler: Any) -> tuple[DistilledLoss, Denoiser, Tensor]:
    schedule = Cosine(60)
    denoiser = Denoiser(Perfect(schedule), Gaussian(schedule), "v")
    loss = DistilledLoss(lambda: denoiser, DDIM(steps=steps, **sampler), m)
    return loss, denoiser, torch.randn(7, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("spacing", ["trailing", "quadratic"])
def test_a_perfect_student_ends_where_the_teacher_does(spacing: str):
    loss, denoiser, x_T = build(spacing=spacing)
    student: Any = Jumping(loss, denoiser)
    theirs = replace(loss.sampler, steps=12)(denoiser, x_T)
    torch.testing.assert_close(loss.sampler(student, x_T), theirs, rtol=1e-4, atol=1e-5)
    assert (loss.sampler(denoiser, x_T) - theirs).abs().max() > 0.02  # which its own steps do not


def test_its_loss_is_nothing_and_a_novice_s_is_the_square_of_what_is_missing():
    loss, denoiser, eps = build()
    x_0, t = torch.full_like(eps, MEAN), torch.tensor([1, 20, 21, 40, 41, 60, 60])
    assert float(loss(Jumping(loss, denoiser), x_0, t, eps).max()) < 1e-9  # type: ignore[arg-type]
    novice = loss(denoiser, x_0, t, eps)
    halts = torch.tensor([[20, 15, 10, 5, 0]] * 2 + [[40, 35, 30, 25, 20]] * 2)
    x_t = denoiser.process.corrupt(x_0[:4], halts[:, 0], eps[:4])
    wanted = loss.target(denoiser, x_t, halts)
    alpha, sigma = (
        f(halts[:, 0])[:, None] for f in (denoiser.schedule.alpha, denoiser.schedule.sigma)
    )
    missing = denoiser.network(x_t, halts[:, 0]) - (alpha * wanted[1] - sigma * wanted[0])
    torch.testing.assert_close(novice[:4], missing.square().mean(1), rtol=1e-4, atol=1e-8)


def test_one_step_of_the_teacher_is_what_the_teacher_says():
    loss, denoiser, x_t = build(m=1)
    t = torch.full((7,), 40)
    x_0, eps = loss.target(denoiser, x_t, torch.stack([t, t - 20], 1))
    said = denoiser(x_t, t)
    torch.testing.assert_close(x_0, said.x_0, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(eps, said.eps, rtol=1e-4, atol=1e-5)


def test_the_student_is_asked_where_it_will_halt_and_nowhere_else():
    loss, _, eps = build()
    student = Perfect(Cosine(60))
    asked = Denoiser(student, Gaussian(student.schedule), "v")
    loss(asked, eps, torch.tensor([1, 19, 20, 21, 40, 41, 60]), eps)
    assert student.asked[-1].tolist() == [20, 20, 20, 40, 40, 60, 60]


@pytest.mark.parametrize(
    ("sampler", "m", "message"),
    [
        (DDIM(steps=3, eta=0.5), 2, "draw no noise"),
        (Ancestral(steps=3), 2, "draw no noise"),
        (DDIM(steps=3), 0, "teacher_steps=0"),
        (DDIM(steps=3, spacing="uniform"), 2, "do not halt where 3 do"),
        (DDIM(steps=3), 30, "cannot take 90 sampling steps"),
    ],
)
def test_what_cannot_be_is_refused(sampler: Any, m: int, message: str):
    _, denoiser, _ = build()
    with pytest.raises(ValueError, match=message):
        DistilledLoss(lambda: denoiser, sampler, m).walk(denoiser.schedule)
