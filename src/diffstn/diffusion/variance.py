"""The variance of the reverse step p(x_s | x_t)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.schedules import Schedule


class Variance(ABC):
    """Reads in a network's output what it predicts, and the log-variance of the next step."""

    outputs: int = 1
    """How many tensors in the shape of x_t the network must answer, one after another in its first
    dimension behind the batch's."""

    def prediction(self, output: Tensor, t: Tensor) -> Tensor:
        """The part of the output that is the prediction: all of it, unless Σ is learned."""
        return output

    @abstractmethod
    def log_variance(self, output: Tensor, schedule: Schedule, t: Tensor, s: Tensor) -> Tensor:
        """log Σ of p(x_s | x_t), finite, which broadcasts to the prediction."""


class FixedSmall(Variance):
    """Σ = β̃_{t|s}, the least the reverse step can have: exact if x_0 is a single point.

    At s = 0 it would vanish and its logarithm diverge, so s = 1 (and t = 2, if need be) stands in.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, section 3.2.
    """

    def log_variance(self, output: Tensor, schedule: Schedule, t: Tensor, s: Tensor) -> Tensor:
        variance = schedule.beta_tilde(t.clamp(min=2), s.clamp(min=1))
        return broadcast(variance.log(), output)


class FixedLarge(Variance):
    """Σ = β_{t|s}, the most the reverse step can have: exact if x_0 is itself N(0, I).

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, section 3.2.
    """

    def log_variance(self, output: Tensor, schedule: Schedule, t: Tensor, s: Tensor) -> Tensor:
        return broadcast(schedule.beta(t, s).log(), output)


class LearnedRange(Variance):
    """log Σ = u log β_{t|s} + (1 − u) log β̃_{t|s},    u = (v + 1) / 2 for the second output v

    between the most and the least that the reverse step can have, for each pixel by itself; v is
    not held to [−1, 1]. Teach it with a loss that reads Σ, `hybrid` or `vlb`.

    Source: Nichol & Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021, eq. 15.
    """

    outputs = 2

    def prediction(self, output: Tensor, t: Tensor) -> Tensor:
        return output.chunk(2, dim=t.ndim)[0]

    def log_variance(self, output: Tensor, schedule: Schedule, t: Tensor, s: Tensor) -> Tensor:
        share = (output.chunk(2, dim=t.ndim)[1] + 1) / 2
        least = FixedSmall().log_variance(share, schedule, t, s)
        most = FixedLarge().log_variance(share, schedule, t, s)
        return share * most + (1 - share) * least


VARIANCES: dict[str, Variance] = {
    "fixed_small": FixedSmall(),
    "fixed_large": FixedLarge(),
    "learned_range": LearnedRange(),
}
