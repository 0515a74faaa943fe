"""Guidance by a classifier of noisy data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.prediction import Eps
from diffstn.diffusion.wrappers.wrapper import Wrapper

LogProbabilities = Callable[[Tensor, Tensor], Tensor]


class ByClassifier(Wrapper):
    r"""Leads to where a classifier of x_t sees the label,

        ε̂ ← ε̂ − λ σ_t ∇_{x_t} log p(label | x_t),    and x̂_0 follows

    which samples from about p(x_t) · p(label | x_t)^λ. Without a label the denoiser is called as it
    is. Gradients are taken even where the caller has switched them off.

    Args:
        denoiser: what is led.
        classifier: (x_t (B, *), t (B,)) → log-probabilities (B, classes), at the denoiser's noise.
        guide_scale: λ.
        heard: whether the denoiser hears the label, too.

    Source: Dhariwal & Nichol, Diffusion Models Beat GANs on Image Synthesis, 2021, algorithm 2.
    """

    def __init__(
        self,
        denoiser: Denoises,
        classifier: LogProbabilities,
        guide_scale: float = 1.0,
        heard: bool = False,
    ) -> None:
        super().__init__(denoiser)
        self.classifier = classifier
        self.guide_scale, self.heard = guide_scale, heard

    def gradient(self, x_t: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """∇_{x_t} log p(label | x_t), in the shape of x_t."""
        with torch.inference_mode(False), torch.enable_grad():
            x, t, label = x_t.clone().requires_grad_(), t.clone(), label.clone()
            chosen = self.classifier(x, t).gather(1, label[:, None]).sum()
            (gradient,) = torch.autograd.grad(chosen, x)
        return gradient

    def __call__(
        self, x_t: Tensor, t: Tensor, /, label: Tensor | None = None, **condition: Any
    ) -> Denoised:
        heard = {"label": label} if self.heard and label is not None else {}
        denoised = self.denoiser(x_t, t, **heard, **condition)
        if label is None or self.guide_scale == 0:
            return denoised
        alpha = broadcast(self.schedule.alpha(t), x_t)
        sigma = broadcast(self.schedule.sigma(t), x_t)
        eps = denoised.eps - self.guide_scale * sigma * self.gradient(x_t, t, label)
        return denoised._replace(eps=eps, x_0=Eps().to_x0(eps, x_t, alpha, sigma))
