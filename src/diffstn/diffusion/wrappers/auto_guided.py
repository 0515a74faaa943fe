"""Guidance by the mistakes of a weaker self."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.wrappers.wrapper import Wrapper, away


class AutoGuided(Wrapper):
    r"""Leads away from what a weaker model of the same data says,

        ε̂ = ε̂_1 + w (ε̂_1 − ε̂_0),    and so for x̂_0, which is linear in it

    Where both err alike, the weaker errs more: less trained, smaller or both, it spreads the data's
    density further. What is added is w σ_t ∇ log (p_1 / p_0) of the two densities, away from
    where the weaker alone sees data. It needs no labels and does not trade variety for class, as
    guidance by the label does. w = 0 is the denoiser itself; each step costs a call of each.

    Args:
        denoiser: what is led, ε̂_1.
        weak: ε̂_0, which undoes the same process.
        weak_scale: w.
        heard: whether the weaker hears the label, too.

    Source: Karras et al., Guiding a Diffusion Model with a Bad Version of Itself, 2024, eq. 4.
    """

    def __init__(
        self, denoiser: Denoises, weak: Denoises, weak_scale: float, heard: bool = False
    ) -> None:
        super().__init__(denoiser)
        self.weak, self.weak_scale, self.heard = weak, weak_scale, heard

    def __call__(
        self, x_t: Tensor, t: Tensor, /, label: Tensor | None = None, **condition: Any
    ) -> Denoised:
        told = {} if label is None else {"label": label}
        strong = self.denoiser(x_t, t, **told, **condition)
        if self.weak_scale == 0:
            return strong
        weak = self.weak(x_t, t, **(told if self.heard else {}), **condition)
        return away(strong, weak, self.weak_scale)
