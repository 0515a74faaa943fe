"""The bound on the likelihood, as a loss."""

from __future__ import annotations

from torch import Tensor

from diffstn.diffusion.denoiser import Denoised, Denoiser
from diffstn.diffusion.likelihood import BINS, bound_term
from diffstn.diffusion.losses.loss import Loss


class VariationalLoss(Loss):
    """T times one term of the bound on the negative log-likelihood, in bits per dimension.

        L_vlb = T · L_{t−1},    so that its mean over uniform t is the bound, but for L_T

    Args:
        bins: of the values that x_0 can take in [−1, 1]; None for continuous data.

    Source: Ho et al., 2020, eq. 5; as a training objective: Nichol & Dhariwal, 2021, section 3.3.
    """

    def __init__(self, bins: int | None = BINS) -> None:
        self.bins = bins

    def score(
        self,
        denoiser: Denoiser,
        denoised: Denoised,
        x_0: Tensor,
        x_t: Tensor,
        t: Tensor,
        eps: Tensor,
    ) -> Tensor:
        schedule = denoiser.schedule
        return schedule.steps * bound_term(denoised, schedule, x_0, x_t, t, self.bins)
