"""An embedding of what is in a frame, told where the frame is."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.spatial import as_matrix, invert


class Placed(nn.Module):
    r"""Adds to an embedding what follows from the place and the size of the frame.

    A frame undoes shift and scale, and forgets them. They are not always chance: what is turned
    about the middle of the canvas goes round it. With the frame $C(p) = M p + m$ the middle of the
    canvas lies in the frame at $-M^{-1} m$; it and $\tfrac12 \log\lvert\det M\rvert$, standardised
    by running statistics, are the numbers that are told. Seen through a turned frame, the middle is
    turned back.

    Args:
        features: F, length of the embedding.
        hidden: features of the three numbers.

    Shapes: embedding (B, F) and frames (B, 6) → (B, F).
    """

    def __init__(self, features: int, hidden: int = 64) -> None:
        super().__init__()
        self.place = nn.Sequential(
            nn.BatchNorm1d(3, affine=False),
            nn.Linear(3, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
        )
        self.mix = nn.Linear(features + hidden, features)

    def forward(self, embedding: Tensor, frame: Tensor) -> Tensor:
        matrix = as_matrix(frame)
        middle = invert(matrix)[:, :, 2]
        size = torch.linalg.det(matrix[:, :, :2].float()).abs().clamp_min(1e-12).log() / 2
        place = self.place(torch.cat([middle, size[:, None]], dim=1).to(embedding.dtype))
        return embedding + F.relu(self.mix(torch.cat([embedding, place], dim=1)))
