"""What all losses of a denoiser have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from diffstn.diffusion.denoiser import Denoised, Denoiser


class Loss(ABC):
    """Noises x_0, asks the denoiser once, and scores what it says."""

    def __call__(
        self, denoiser: Denoiser, x_0: Tensor, t: Tensor, eps: Tensor, **condition: Tensor
    ) -> Tensor:
        """Return one loss for each sample, in the shape of t, for x_0 and eps (B, *), t (B,).

        `eps` is N(0, I); the process makes its own noise of it.
        """
        eps = denoiser.process.noise(eps)
        x_t = denoiser.process.corrupt(x_0, t, eps)
        return self.score(denoiser, denoiser(x_t, t, **condition), x_0, x_t, t, eps)

    @abstractmethod
    def score(
        self,
        denoiser: Denoiser,
        denoised: Denoised,
        x_0: Tensor,
        x_t: Tensor,
        t: Tensor,
        eps: Tensor,
    ) -> Tensor:
        """The loss of what `denoiser` said of x_t = α_t x_0 + σ_t ε, in the shape of t."""
