"""A network that undoes a cold process."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn


class Restored(NamedTuple):
    """What a restorer says of x_t = D(x_0, t)."""

    x_0: Tensor
    """The estimated clean data, in the shape of x_t."""

    eps: Tensor | None
    """The process's own noise, where it has one and it is known: the warp of an image, say."""


class Restorer(nn.Module):
    """x̂_0 = network(x_t, t), or x_t + network(x_t, t) if `residual`, and the process undone.

    Only samplers that walk by the process alone (`Sampler.cold`) can use what it says.

    Args:
        network: called as `network(x_t, t, **condition)`, with x_t (B, *) and t (B,) long.
        process: a `Process` that takes x_0 away.
        residual: whether the network says what x_t lacks, or x_0 itself.
    """

    process: Any

    def __init__(self, network: nn.Module, process: Any, residual: bool = True) -> None:
        super().__init__()
        self.network, self.process, self.residual = network, process, residual

    def forward(
        self,
        x_t: Tensor,
        t: Tensor,
        s: Tensor | None = None,
        eps: Tensor | None = None,
        **condition: Tensor,
    ) -> Restored:
        """Estimate x_0 of x_t (B, *) at t ≥ 1 (B,); `eps` is handed on as it is."""
        output = self.network(x_t, t, **condition).to(x_t.dtype)
        return Restored(x_t + output if self.residual else output, eps)
