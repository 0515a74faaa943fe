"""How far apart two poses are, of any family."""

import torch
from torch import Tensor

from diffstn.spatial.affine import Affine
from diffstn.spatial.transformation import Transformation

CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
_AFFINE = Affine()


def corner_offsets(
    a: Tensor, b: Tensor, family: Transformation = _AFFINE, other: Transformation | None = None
) -> Tensor:
    """T_a(c) − T_b(c) at the corners c of [-1, 1]²: (B, dim) twice to (B, 4, 2).

    `family` is a's, `other` is b's if that is another one.
    """
    corners = torch.tensor(CORNERS, dtype=a.dtype, device=a.device)[None]
    return family.points(a, corners) - (other or family).points(b, corners)


def corner_distance(
    a: Tensor, b: Tensor, family: Transformation = _AFFINE, other: Transformation | None = None
) -> Tensor:
    """Mean over the corners of ‖T_a(c) − T_b(c)‖₂ in normalised units, (B,); see `corner_offsets`.

    One number for how far apart two poses are. It needs no decomposition into angles and scales,
    so it compares any two members of any families.
    """
    return corner_offsets(a, b, family, other).norm(dim=-1).mean(dim=-1)
