"""The forward process: how data turn into noise."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from diffstn.diffusion.broadcast import broadcast


class Schedule(nn.Module):
    r"""The variance-preserving forward process of T small Gaussian steps.

    `Geometric` is the one that is not: it lets the variance grow.

        q(x_t | x_{t-1}) = N(√(1 − β_t) x_{t-1}, β_t I),          t = 1, …, T
        q(x_t | x_0)     = N(α_t x_0, σ_t² I),   α_t = √ᾱ_t,  σ_t = √(1 − ᾱ_t),  ᾱ_t = ∏ (1 − β_i)

    t = 0 is clean data: ᾱ_0 = 1. The only state are tables of log ᾱ, summed in float64, and of what
    follows from it through `exp` and `expm1`, α and σ, all rounded once to float32: that keeps
    small noise levels accurate and stays finite where ᾱ itself underflows. Other coefficients
    follow from these at every call.

    Every method takes long tensors t of any shape and returns float32 of that shape. Where a
    method takes `s`, it describes the jump between t and any earlier timestep s < t; left out,
    s = t − 1.

    Args:
        betas: (T,) noise added by each step, in (0, 1); only the last may be 1 (zero final SNR).

    Raises:
        ValueError: if there are fewer than two betas, or one lies outside its range.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, section 2; the jumps between
    arbitrary timesteps: Kingma et al., Variational Diffusion Models, 2021, appendix A.
    """

    log_alpha_bar: Tensor
    alphas: Tensor
    sigmas: Tensor

    def __init__(self, betas: Tensor) -> None:
        super().__init__()
        betas = betas.double()
        if betas.ndim != 1 or len(betas) < 2:
            raise ValueError(f"a schedule needs two timesteps or more; got {tuple(betas.shape)}")
        if not ((betas > 0) & (betas <= 1)).all() or (betas[:-1] == 1).any():
            raise ValueError("every beta must lie in (0, 1); only the last may be 1")
        log_alpha_bar = torch.cat([betas.new_zeros(1), torch.log1p(-betas).cumsum(0)])
        for name, table in tables(log_alpha_bar).items():
            self.register_buffer(name, table.float(), persistent=False)

    @property
    def steps(self) -> int:
        """T, the number of timesteps."""
        return len(self.log_alpha_bar) - 1

    def alpha_bar(self, t: Tensor) -> Tensor:
        """ᾱ_t, the share of the signal in the variance of x_t, from 1 down to about 0."""
        return self.log_alpha_bar[t].exp()

    def alpha(self, t: Tensor) -> Tensor:
        """α_t = √ᾱ_t, the factor of x_0 in x_t."""
        return self.alphas[t]

    def unit(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(α_t, σ_t) / √(α_t² + σ_t²): the factors in x_t once that is scaled to unit size."""
        return self.alpha(t), self.sigma(t)

    def to_unit(self, x_t: Tensor, t: Tensor) -> Tensor:
        """x_t / √(α_t² + σ_t²), which is x_t itself where the variance is preserved."""
        return x_t

    @property
    def prior_sigma(self) -> float:
        """The standard deviation of x_T, all signal taken for lost."""
        return 1.0

    def sigma(self, t: Tensor) -> Tensor:
        """σ_t = √(1 − ᾱ_t), the factor of ε in x_t."""
        return self.sigmas[t]

    def log_snr(self, t: Tensor) -> Tensor:
        """λ_t = log(α_t² / σ_t²) = log(ᾱ_t / (1 − ᾱ_t)), strictly decreasing; +∞ at t = 0."""
        log_alpha_bar = self.log_alpha_bar[t]
        return log_alpha_bar - (-log_alpha_bar.expm1()).log()

    def beta(self, t: Tensor, s: Tensor | None = None) -> Tensor:
        """β_{t|s} = 1 − ᾱ_t / ᾱ_s, the variance of q(x_t | x_s); t ≥ 1."""
        s = t - 1 if s is None else s
        return -(self.log_alpha_bar[t] - self.log_alpha_bar[s]).expm1()

    def kept(self, t: Tensor, s: Tensor | None = None) -> Tensor:
        """α_t / α_s, the factor of x_s in the mean of q(x_t | x_s); t ≥ 1."""
        return (1 - self.beta(t, s)).sqrt()

    def beta_tilde(self, t: Tensor, s: Tensor | None = None) -> Tensor:
        """β̃_{t|s} = β_{t|s} σ_s² / σ_t², the variance of q(x_s | x_t, x_0); 0 at s = 0."""
        s = t - 1 if s is None else s
        return self.beta(t, s) * (self.sigma(s) / self.sigma(t)).square()

    def add_noise(self, x_0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """x_t = α_t x_0 + σ_t ε, for t of shape (B,) or any leading shape of x_0."""
        return broadcast(self.alpha(t), x_0) * x_0 + broadcast(self.sigma(t), x_0) * eps

    def posterior(
        self, x_0: Tensor, x_t: Tensor, t: Tensor, s: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean and variance of q(x_s | x_t, x_0), the way back once the data are known.

            mean = α_s β_{t|s} / σ_t² · x_0 + (α_t / α_s) σ_s² / σ_t² · x_t
            variance = β̃_{t|s}

        The mean has the shape of x_0, the variance one that broadcasts to it. At s = 0 the mean
        is x_0 itself and the variance 0.
        """
        s = t - 1 if s is None else s
        variance = self.sigma(t).square()
        of_x_0 = self.alpha(s) * self.beta(t, s) / variance
        of_x_t = self.kept(t, s) * self.sigma(s).square() / variance
        mean = broadcast(of_x_0, x_0) * x_0 + broadcast(of_x_t, x_0) * x_t
        return mean, broadcast(self.beta_tilde(t, s), x_0)

    def extra_repr(self) -> str:
        return f"steps={self.steps}"

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Schedule:
        """Follow the module to its device, but stay in float32 under `.half()` and the like."""
        before = dict(self.named_buffers(recurse=False))
        super()._apply(fn, recurse)
        for name, table in before.items():
            setattr(self, name, table.to(self.get_buffer(name).device))
        return self


def tables(log_alpha_bar: Tensor) -> dict[str, Tensor]:
    """log ᾱ, α and σ of t = 0…T, each (T + 1,), by their names in a `Schedule`."""
    sigmas = (-log_alpha_bar.expm1()).sqrt()
    return {"log_alpha_bar": log_alpha_bar, "alphas": (log_alpha_bar / 2).exp(), "sigmas": sigmas}
