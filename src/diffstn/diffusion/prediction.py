"""What a network's output means: the noise, the data, or the velocity between them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

ALPHA_FLOOR = 1e-5
"""The least α by which a noise prediction is divided; α_T = 5 · 10⁻⁵ for 1000 cosine steps."""


class Prediction(ABC):
    """A reading of the network's output, given x_t = α x_0 + σ ε.

    All tensors share the shape of x_t or broadcast to it. Since `target` depends on x_0 and ε
    alone, `target(to_x0(output), to_eps(output))` gives back the output.
    """

    @abstractmethod
    def to_x0(self, output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """The clean data that the output implies."""

    @abstractmethod
    def to_eps(self, output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """The noise that the output implies."""

    @abstractmethod
    def target(self, x_0: Tensor, eps: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """What a perfect network would have said of x_0 and ε."""

    @abstractmethod
    def error_ratio(self, alpha: Tensor, sigma: Tensor) -> Tensor:
        """The squared error of the output, divided by that of the x_0 which it implies."""


class Eps(Prediction):
    """The output is ε, and x_0 = (x_t − σ ε) / α.

    At zero signal (α = 0) nothing follows about x_0; α is held at `ALPHA_FLOOR` or above, which
    keeps x_0 finite there. Prefer `V` or `X0` for schedules that end without signal.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, eq. 11.
    """

    def to_x0(self, output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return (x_t - sigma * output) / alpha.clamp(min=ALPHA_FLOOR)

    def to_eps(self, output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return output

    def target(self, x_0: Tensor, eps: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return eps

    def error_ratio(self, alpha: Tensor, sigma: Tensor) -> Tensor:
        return (alpha.clamp(min=ALPHA_FLOOR) / sigma).square()


class X0(Prediction):
    """The output is x_0, and ε = (x_t − α x_0) / σ, for t ≥ 1 where σ > 0.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, section 3.2.
    """

    def to_x0(self, output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return output

    def to_eps(self, output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return (x_t - alpha * output) / sigma

    def target(self, x_0: Tensor, eps: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return x_0

    def error_ratio(self, alpha: Tensor, sigma: Tensor) -> Tensor:
        return alpha.new_ones(alpha.shape)


class V(Prediction):
    """The output is v = α ε − σ x_0, a rotation of (x_t, v) away from (x_0, ε).

        x_0 = α x_t − σ v,    ε = σ x_t + α v

    Nothing is divided: stable at every noise level, including zero signal.

    Source: Salimans & Ho, Progressive Distillation for Fast Sampling, 2022, section 4.
    """

    def to_x0(self, output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return alpha * x_t - sigma * output

    def to_eps(self, output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return sigma * x_t + alpha * output

    def target(self, x_0: Tensor, eps: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        return alpha * eps - sigma * x_0

    def error_ratio(self, alpha: Tensor, sigma: Tensor) -> Tensor:
        return sigma.pow(-2)


PREDICTIONS: dict[str, Prediction] = {"eps": Eps(), "x0": X0(), "v": V()}
