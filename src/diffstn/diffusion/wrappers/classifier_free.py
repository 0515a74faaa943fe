"""Guidance by the difference that the label makes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.wrappers.wrapper import Wrapper, away


class ClassifierFree(Wrapper):
    r"""Leads away from what the same denoiser says without the label,

        ε̂ = (1 + w) ε̂(x_t, c) − w ε̂(x_t),    and so for x̂_0, which is linear in it

    which samples from about p(x_t | c) · p(c | x_t)^w. w = 0 is the denoiser itself; in the
    convention that writes ε̂(x_t) + s (ε̂(x_t, c) − ε̂(x_t)), the scale is s = 1 + w. Each step costs
    two calls. Without a label there is nothing to lead to: the denoiser is called as it is.

    Args:
        denoiser: called with `label` (B,), or without, for any class.
        guidance_scale: w.

    Source: Ho & Salimans, Classifier-Free Diffusion Guidance, 2022, eq. 6.
    """

    def __init__(self, denoiser: Denoises, guidance_scale: float) -> None:
        super().__init__(denoiser)
        self.guidance_scale = guidance_scale

    def __call__(
        self, x_t: Tensor, t: Tensor, /, label: Tensor | None = None, **condition: Any
    ) -> Denoised:
        if label is None or self.guidance_scale == 0:
            condition = condition if label is None else {**condition, "label": label}
            return self.denoiser(x_t, t, **condition)
        told = self.denoiser(x_t, t, label=label, **condition)
        free = self.denoiser(x_t, t, **condition)
        return away(told, free, self.guidance_scale)
