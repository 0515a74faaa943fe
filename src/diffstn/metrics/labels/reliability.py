"""Whether confidence means what it says."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

BINS = 15
COVERAGE = 0.95


class Reliability(Metric):
    r"""Expected calibration error, and the error among the answers of which one is surest.

    `compute` returns per cent:

    - `ece`: $\sum_b \frac{n_b}{n} |\text{mean confidence}_b - \text{share right}_b|$ over 15 bins
      of equally many answers, in the order of confidence;
    - `error_at_95`: the share of wrong answers among the 95 % with the highest confidence.

    Source: Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning, 2015;
    with equally many in a bin: Nguyen and O'Connor, 2015. Risk at a coverage: Geifman and El-Yaniv,
    Selective Classification for Deep Neural Networks, 2017.
    """

    is_differentiable = False
    full_state_update = False

    confidence: list[Tensor]
    right: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("confidence", [], dist_reduce_fx="cat")
        self.add_state("right", [], dist_reduce_fx="cat")

    def update(self, confidence: Tensor, right: Tensor) -> None:
        """Add answers given with so much confidence (B,), and whether they are right (B,)."""
        self.confidence.append(confidence.double())
        self.right.append(right.double())

    def in_order(self) -> tuple[Tensor, Tensor]:
        """Confidences (n,), falling, and whether the answers are right (n,)."""
        confidence, order = dim_zero_cat(self.confidence).sort(descending=True, stable=True)
        return confidence, dim_zero_cat(self.right)[order]

    def compute(self) -> dict[str, Tensor]:
        confidence, right = self.in_order()
        bins = zip(confidence.tensor_split(BINS), right.tensor_split(BINS), strict=True)
        off = [(c.mean() - r.mean()).abs() * len(c) for c, r in bins if len(c)]
        kept = right[: max(1, round(COVERAGE * len(right)))]
        return {
            "ece": 100 * torch.stack(off).sum() / len(right),
            "error_at_95": 100 * (1 - kept.mean()),
        }
