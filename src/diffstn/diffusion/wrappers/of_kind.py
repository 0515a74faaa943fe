"""A label that stays what it is, whoever calls."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.wrappers.wrapper import Wrapper


class OfKind(Wrapper):
    """The denoiser told `kind` as its label, which callers need not know of.

    A label that they give is not for the denoiser: it may mean something else, such as the class
    to which a classifier leads.

    Args:
        denoiser: called with `label=kind`.
        kind: (B,), of the items that walk together.
    """

    def __init__(self, denoiser: Denoises, kind: Tensor) -> None:
        super().__init__(denoiser)
        self.kind = kind

    def __call__(
        self, x_t: Tensor, t: Tensor, /, label: Tensor | None = None, **condition: Any
    ) -> Denoised:
        return self.denoiser(x_t, t, label=self.kind, **condition)
