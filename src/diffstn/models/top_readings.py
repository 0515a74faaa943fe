"""The classes that a judge holds most likely, as numbers that a network can be told."""

import torch
from torch import Tensor

FLOOR = -10.0
"""The log-probability below which a class counts for nothing: 1 in 22 000."""


class TopReadings:
    r"""The k largest log-probabilities at the places of their classes, all others at a floor.

    With $\ell_y$ the log-probability of class y and f the floor, the number at y is

    $$r_y = 1 - \frac{\max(\ell_y, f)}{f} \in [0, 1] \text{ for the k largest}, \qquad
      r_y = 0 \text{ for the others.}$$

    So 1 is certain and the floor is 0, as of what was not said; embeddings, beside which these
    numbers stand, are of this size.

    Args:
        k: how many classes.
        classes: how many there are.

    Raises:
        ValueError: k is not between 1 and the number of classes.

    Shapes: log-probabilities (*, classes) → (*, classes).
    """

    def __init__(self, k: int, classes: int) -> None:
        if not 1 <= k <= classes:
            raise ValueError(
                f"model.topk={k}: these data have {classes} classes; choose 1 to {classes}, or 0"
                " for none"
            )
        self.k = k

    def __call__(self, log_probabilities: Tensor) -> Tensor:
        values, places = log_probabilities.topk(self.k, dim=-1)
        told = 1 - values.clamp_min(FLOOR) / FLOOR
        return torch.zeros_like(log_probabilities).scatter(-1, places, told)
