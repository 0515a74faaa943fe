"""A linear read-out of the rotation that teaches an encoder where up is."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AuxiliaryAngle(nn.Module):
    r"""Mean-square error of (cos φ, sin φ) read linearly from an embedding.

    The best answer is E[(cos φ, sin φ) | image]: its direction is the mean direction of the
    rotation, `read`, and its length how sure that is. Noise on a circle asks an encoder for the
    angle at few of its levels only: far below a radian x_t says nearly all, far above it nothing.

    Shapes: embedding (B, features), φ (B,) in radians → scalar; `read`: (B,) in [−π, π].

    Source of the two numbers: Mardia and Jupp, Directional Statistics, 2000, section 9.2.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 2)

    def forward(self, embedding: Tensor, phi: Tensor) -> Tensor:
        at = torch.stack([phi.cos(), phi.sin()], dim=-1).float()
        return F.mse_loss(self.linear(embedding).float(), at)

    def read(self, embedding: Tensor) -> Tensor:
        cos, sin = self.linear(embedding).float().unbind(-1)
        return torch.atan2(sin, cos)
