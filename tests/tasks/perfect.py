"""A stand-in for a model that has learned everything."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor


class Perfect:
    """A model whose samples are the data; not a diffusion model, but one that `Generates`."""

    conditional = True
    hears_label = True
    device = torch.device("cpu")

    def __init__(
        self, fresh: Callable[[int, Generator], Tensor], noise_shape: tuple[int, ...] = (7,)
    ) -> None:
        self.fresh, self.noise_shape = fresh, noise_shape

    def generate(
        self, noise: Tensor, label: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        assert noise.shape[1:] == self.noise_shape
        return self.fresh(len(noise), generator or Generator())
