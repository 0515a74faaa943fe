"""The frame in which an image's content is centred and of standard size, in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

RADIUS = 0.3
"""Radius of gyration of the content in its frame, in normalised units; a digit just fits."""


def moment_frame(images: Tensor, radius: float = RADIUS) -> Tensor:
    r"""The similarity C that maps the frame to the image: θ (B, 6) of $C(p) = \rho p + m$.

    With pixel weights w ≥ 0 (the channels' mean) at points x,

    $$m = \frac{\sum w x}{\sum w}, \qquad
      \rho = \frac1{\text{radius}} \sqrt{\frac{\sum w \|x - m\|^2}{2 \sum w}},$$

    so `warp(images, C)` shows the content centred and with the given radius of gyration.
    Distorting an image by a similarity moves its frame along: $C(A I) = A\,C(I)$ up to rotation
    and resampling, so translation and scale are undone before anything has been learnt. Meant for
    bright content on a dark background; on a full photograph C is close to a constant. An empty
    image gets C = the identity.

    Args:
        images: (B, C, H, W), not negative.
        radius: that the content shall have in its frame, normalised units.
    """
    weight = images.detach().to(torch.float32).mean(dim=1)
    height, width = weight.shape[1:]
    y = (2 * torch.arange(height, device=weight.device) + 1) / height - 1
    x = (2 * torch.arange(width, device=weight.device) + 1) / width - 1
    columns, rows = weight.sum(dim=1), weight.sum(dim=2)
    mass = rows.sum(dim=1)
    empty = mass < 1e-3
    mass = mass.masked_fill(empty, 1)
    m_x, m_y = (columns * x).sum(1) / mass, (rows * y).sum(1) / mass
    spread = (columns * (x - m_x[:, None]).square()).sum(1)
    spread = (spread + (rows * (y - m_y[:, None]).square()).sum(1)) / (2 * mass)
    rho = (spread.sqrt() / radius).clamp_min(0.1).masked_fill(empty, 1)
    zero = torch.zeros_like(rho)
    return torch.stack((rho, zero, m_x, zero, rho, m_y), dim=-1)
