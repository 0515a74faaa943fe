"""What tasks of generation ask of a model."""

from typing import Protocol, runtime_checkable

import torch
from torch import Generator, Tensor


@runtime_checkable
class Generates(Protocol):
    """A model that makes items of noise, in one step or in many."""

    conditional: bool
    """Whether it was told classes while it learned."""

    @property
    def device(self) -> torch.device:
        """Where its weights are."""

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Of the noise that one item is made of."""

    @property
    def hears_label(self) -> bool:
        """Whether a class can be asked for."""

    def generate(
        self, noise: Tensor, label: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """Items (B, *), within the range of the data, on the model's device.

        Args:
            noise: N(0, I), (B, *noise_shape), on any device.
            label: classes (B,); None: of any.
            generator: of what is random on the way.
        """


@runtime_checkable
class Styled(Generates, Protocol):
    """A model that makes items of styles w, which it makes of noise."""

    def styles(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """w (B, width) of noise (B, *noise_shape)."""

    def styled(
        self, w: Tensor, noise: Tensor, label: Tensor | None = None, truncation: float = 1.0
    ) -> Tensor:
        """Items of styles, which `truncation` brings nearer to their mean: 0 is the mean."""
