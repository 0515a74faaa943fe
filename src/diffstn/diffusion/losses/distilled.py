"""Several steps of a teacher as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoiser, Denoises
from diffstn.diffusion.losses.simple import SimpleLoss
from diffstn.diffusion.samplers.ddim import DDIM
from diffstn.diffusion.samplers.jump import Jump
from diffstn.diffusion.samplers.sampler import Sampler


class DistilledLoss(SimpleLoss):
    r"""The mean-square error of a student whose one step of DDIM is to be m of a teacher's.

    A step from t to s is linear in x_t and x̂_0, so there is one x̂_0 that lands where the teacher
    is after its m steps, x_s:

        x̃_0 = (x_s − ρ x_t) / (α_s − ρ α_t),    ρ = σ_s / σ_t,    ε̃ = (x_t − α_t x̃_0) / σ_t

    The student learns x̃_0, ε̃ in place of x_0, ε, at the N timesteps that its sampler visits and at
    no other: a timestep that is asked for stands for the next of these above it. With v or x_0
    predicted nothing is divided by α, so x_T may be pure noise. Two steps as one, again and again,
    is progressive distillation; with m larger it takes fewer students and more of the teacher.

    Args:
        teacher: answers the denoiser that the teacher walks with, led and clipped as it may be.
        sampler: the student's: its N steps, its spacing.
        teacher_steps: m; the m N timesteps of the teacher must contain the student's, as they do
            with spacing trailing, quadratic and cubic.

    Raises:
        ValueError: the sampler is random or no DDIM, or m is not positive; when called, the
            teacher's timesteps leave out some of the student's.

    Source: Salimans & Ho, Progressive Distillation for Fast Sampling of Diffusion Models, 2022,
    algorithm 2 and appendix G.
    """

    def __init__(
        self, teacher: Callable[[], Denoises], sampler: Sampler, teacher_steps: int = 2
    ) -> None:
        if not isinstance(sampler, DDIM) or sampler.stochastic:
            raise ValueError(
                "a student learns jumps that draw no noise: sampler=ddim sampler.eta=0"
            )
        if teacher_steps < 1:
            raise ValueError(f"teacher_steps={teacher_steps}: one or more for each of the student")
        self.teacher, self.sampler, self.teacher_steps = teacher, sampler, teacher_steps

    def walk(self, schedule: object) -> Tensor:
        """Where student and teacher halt, long (N, m + 1): row i from its t_i to t_{i+1}.

        Raises:
            ValueError: the teacher does not halt where the student does, or there are too few
                timesteps.
        """
        own = self.sampler.timesteps(schedule)
        m = self.teacher_steps
        finer = replace(self.sampler, steps=(len(own) - 1) * m).timesteps(schedule)
        if not torch.equal(finer[::m], own):
            raise ValueError(
                f"sampler.spacing={self.sampler.spacing}: {len(finer) - 1} steps do not halt where"
                f" {len(own) - 1} do; choose sampler.spacing=trailing"
            )
        return finer.unfold(0, m + 1, m)

    def __call__(
        self, denoiser: Denoiser, x_0: Tensor, t: Tensor, eps: Tensor, **condition: Tensor
    ) -> Tensor:
        """One loss for each sample, (B,), of x_0 and eps (B, *) at timesteps t (B,)."""
        walk = self.walk(denoiser.schedule).to(t.device)
        row = (walk[:, 0] >= t[:, None]).sum(1) - 1  # the last that is not below t
        halts = walk[row]
        t = halts[:, 0]
        x_t = denoiser.process.corrupt(x_0, t, denoiser.process.noise(eps))
        x_0, eps = self.target(denoiser, x_t, halts, **condition)
        denoised = denoiser(x_t, t, s=halts[:, -1], **condition)
        return self.score(denoiser, denoised, x_0, x_t, t, eps)

    @torch.no_grad()
    def target(
        self, denoiser: Denoiser, x_t: Tensor, halts: Tensor, **condition: Tensor
    ) -> tuple[Tensor, Tensor]:
        """x̃_0 and ε̃ (B, *) of the teacher's steps through the timesteps `halts` (B, m + 1)."""
        teacher, process, x = self.teacher(), denoiser.process, x_t
        for now, then in zip(halts.T[:-1], halts.T[1:], strict=True):
            said = teacher(x, now, s=then, **condition)
            x = self.sampler.step(Jump(x, said, now, then, process, torch.zeros_like(x), ()))
        schedule, t, s = denoiser.schedule, halts[:, 0], halts[:, -1]
        factors = (schedule.alpha(t), schedule.sigma(t), schedule.alpha(s), schedule.sigma(s))
        alpha_t, sigma_t, alpha_s, sigma_s = (broadcast(factor, x) for factor in factors)
        rho = sigma_s / sigma_t
        x_0 = (x - rho * x_t) / (alpha_s - rho * alpha_t)
        return x_0, (x_t - alpha_t * x_0) / sigma_t
