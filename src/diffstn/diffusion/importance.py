"""Timesteps where the loss is large are trained on more often."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from diffstn.diffusion.timesteps import uniform_timesteps


class LossSecondMoment(nn.Module):
    r"""Draws t with probability $p_t \propto \sqrt{E[L_t^2]}$ and weighs its loss by 1 / (T p_t).

    The expectation of the weighted loss is that under uniform t, its variance is the least there
    can be. E[L_t²] is the mean over the last `memory` losses seen at t; until every timestep has
    been seen so often, t is uniform. A small share of uniform draws keeps every p_t positive.

    The memory is a buffer, so that it moves with the model and is resumed with it. Of processes
    that train together the first one's counts: Lightning copies its buffers to the others.

    Args:
        steps: T.
        memory: losses remembered of each timestep.
        uniform: share of draws that stay uniform.

    Source: Nichol & Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021, eq. 18.
    """

    losses: Tensor
    seen: Tensor

    def __init__(self, steps: int, memory: int = 10, uniform: float = 1e-3) -> None:
        super().__init__()
        self.steps, self.memory, self.uniform = steps, memory, uniform
        self.register_buffer("losses", torch.zeros(steps, memory))
        self.register_buffer("seen", torch.zeros(steps, dtype=torch.long))

    @property
    def probabilities(self) -> Tensor:
        """p_t for t = 1…T, (T,)."""
        if bool((self.seen < self.memory).any()):
            return torch.full_like(self.losses[:, 0], 1 / self.steps)
        p = self.losses.square().mean(1).sqrt()
        return (1 - self.uniform) * p / p.sum() + self.uniform / self.steps

    def draw(self, count: int, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """`count` timesteps and the weights of their losses, (count,) each."""
        device = self.losses.device
        if bool((self.seen < self.memory).any()):
            t = uniform_timesteps(count, self.steps, generator, device)
            return t, torch.ones(count, device=device)
        p = self.probabilities
        source = p.to(generator.device) if generator else p
        drawn = torch.multinomial(source, count, replacement=True, generator=generator).to(device)
        return drawn + 1, 1 / (self.steps * p[drawn])

    @torch.no_grad()
    def observe(self, t: Tensor, losses: Tensor) -> None:
        """Remember the losses (B,) seen at t (B,), before their weights."""
        steps, order = (t - 1).sort(stable=True)
        counts = steps.bincount(minlength=self.steps)
        rank = torch.arange(len(t), device=t.device) - (counts.cumsum(0) - counts)[steps]
        fits = rank >= counts[steps] - self.memory  # of more losses than that, the last ones stay
        places = (self.seen[steps] + rank) % self.memory
        self.losses[steps[fits], places[fits]] = losses.detach().float()[order][fits]
        self.seen += counts
