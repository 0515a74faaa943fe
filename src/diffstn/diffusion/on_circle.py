"""A network that knows an angle up to whole turns."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.schedules import Schedule


class OnCircle(nn.Module):
    """Shows a network (cos φ, sin φ) for the angle φ that is the first entry of x_t / α_t.

    What the network answers in the place of the two is a vector u in the plane, and what is read of
    it its part along the circle, u · (−sin φ, cos φ). So neither depends on whole turns.

    Args:
        network: of vectors with one entry more.
        schedule: says how large x_t is.

    Shapes: x_t (B, D) at unit size, t (B,) → (B, D); the network's (B, D + 1) → (B, D + 1).
    """

    def __init__(self, network: nn.Module, schedule: Schedule) -> None:
        super().__init__()
        self.network, self.schedule = network, schedule

    def forward(self, x_t: Tensor, t: Tensor, **condition: Any) -> Tensor:
        alpha = broadcast(self.schedule.unit(t)[0], x_t)
        phi = x_t[..., :1] / alpha
        cos, sin = phi.cos(), phi.sin()
        seen = torch.cat([cos, sin, x_t[..., 1:]], dim=-1)
        said = self.network(seen, t, **condition).to(x_t.dtype)
        along = cos * said[..., 1:2] - sin * said[..., :1]
        return torch.cat([along, said[..., 2:]], dim=-1)
