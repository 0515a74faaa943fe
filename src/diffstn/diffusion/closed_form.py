"""The one diffusion that can be worked out on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor

from diffstn.diffusion.schedules import Schedule


class GaussianDiffusion:
    r"""The diffusion of x_0 ~ N(m, p), whose every distribution is normal.

        q(x_t) = N(α_t m, α_t² p + σ_t²)

    As (x_{t−1}, x_t) are jointly normal with covariance a_t V_{t−1}, a_t = α_t / α_{t−1} and V_t
    the variance of q(x_t), the reverse step is known without knowing x_0:

        q(x_{t−1} | x_t) = N(μ_{t−1} + G_t (x_t − μ_t), V_{t−1} − G_t² V_t),
        G_t = a_t V_{t−1} / V_t

    and so is the score, ∇log q(x_t) = −(x_t − μ_t) / V_t.

    Paths are float64 tensors (T + 1, n), row t the values of x_t.

    Args:
        schedule: the forward process.
        mean: m.
        variance: p.

    Raises:
        ValueError: the variance is not positive.

    Source: conditioning of normal variables, e.g. Bishop, Pattern Recognition and Machine
    Learning, 2006, eq. 2.81 and 2.82.
    """

    def __init__(self, schedule: Schedule, mean: float = 0.0, variance: float = 1.0) -> None:
        if variance <= 0:
            raise ValueError(f"variance must be positive, not {variance}")
        self.schedule, self.mean, self.variance = schedule, mean, variance

    def marginal(self, t: int) -> tuple[float, float]:
        """Mean and variance of q(x_t)."""
        now = torch.tensor(t)
        alpha, sigma = (float(f(now).double()) for f in (self.schedule.alpha, self.schedule.sigma))
        return alpha * self.mean, alpha**2 * self.variance + sigma**2

    def score(self, x_t: Tensor, t: int) -> Tensor:
        """∇log q(x_t), in the shape of x_t."""
        mean, variance = self.marginal(t)
        return -(x_t - mean) / variance

    def distance_to_noise(self) -> float:
        """sup_x |F(x) − Φ(x)|, F the distribution of q(x_T) / σ_T: what is left of the data."""
        mean, variance = self.marginal(self.schedule.steps)
        reach = self.schedule.prior_sigma
        mean, spread = mean / reach, variance**0.5 / reach
        reach = 8 * max(1.0, spread) + abs(mean)
        x = torch.linspace(-reach, reach, 100_001, dtype=torch.float64)
        ends = torch.special.ndtr((x - mean) / spread) - torch.special.ndtr(x)
        return float(ends.abs().max())

    def reverse(self, x_t: Tensor, t: int) -> tuple[Tensor, float]:
        """Mean (n,) and variance of q(x_{t−1} | x_t)."""
        (mean, variance), (now, spread) = self.marginal(t - 1), self.marginal(t)
        gain = float(self.schedule.kept(torch.tensor(t)).double()) * variance / spread
        return mean + gain * (x_t - now), max(variance - gain**2 * spread, 0.0)

    def data(self, n: int, generator: Generator | None = None) -> Tensor:
        """n draws of x_0, (n,)."""
        return self.mean + self.variance**0.5 * _normal(n, generator)

    def forward_paths(self, n: int, generator: Generator | None = None) -> Tensor:
        """Step by step from data to noise, by q(x_t | x_{t−1})."""
        path = [self.data(n, generator)]
        for t in range(1, self.schedule.steps + 1):
            kept, beta = (
                float(f(torch.tensor(t))) for f in (self.schedule.kept, self.schedule.beta)
            )
            path.append(kept * path[-1] + beta**0.5 * _normal(n, generator))
        return torch.stack(path)

    def posterior_paths(self, n: int, generator: Generator | None = None) -> Tensor:
        """From the prior back by q(x_{t−1} | x_t, x_0), each path with an x_0 of its own."""
        x_0 = self.data(n, generator)

        def step(x_t: Tensor, t: int) -> tuple[Tensor, Tensor]:
            return self.schedule.posterior(x_0, x_t, torch.full((n,), t))

        return self._back(n, step, generator)

    def marginal_paths(self, n: int, generator: Generator | None = None) -> Tensor:
        """From the prior back by q(x_{t−1} | x_t): what a perfectly trained model would do."""
        return self._back(n, self.reverse, generator)

    def _back(
        self,
        n: int,
        step: Callable[[Tensor, int], tuple[Tensor, Tensor | float]],
        generator: Generator | None,
    ) -> Tensor:
        def walk() -> Iterator[Tensor]:
            x = self.schedule.prior_sigma * _normal(n, generator)
            yield x
            for t in range(self.schedule.steps, 0, -1):
                mean, variance = step(x, t)
                spread = torch.as_tensor(variance, dtype=torch.float64).sqrt()
                x = mean.double() + spread * _normal(n, generator)
                yield x

        return torch.stack(list(walk())).flip(0)


def _normal(n: int, generator: Generator | None) -> Tensor:
    return torch.randn(n, generator=generator, dtype=torch.float64)
