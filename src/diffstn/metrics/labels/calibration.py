"""What two opinions on a label make of each other, so that the answer's probability is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

LEAST = 1e-6
"""No opinion rules a class out altogether."""
PSEUDO = 1.0
"""Answers that the prior on the powers is worth."""
NEWTON_STEPS = 30


def posterior(first: Tensor, second: Tensor, powers: Sequence[float]) -> Tensor:
    r"""$p(y) \propto b(y)^\beta\,m(y)^\gamma$ of opinions b and m (B, classes): (B, classes).

    With β = γ = 1 this is Bayes' rule for opinions that are independent, given the label, and
    labels that are equally likely; opinions that are the same want powers that sum to 1. (1, 0) is
    b itself.
    """
    beta, gamma = powers
    if (beta, gamma) == (1, 0):
        return first
    logits = beta * first.clamp_min(LEAST).log() + gamma * second.clamp_min(LEAST).log()
    return logits.softmax(dim=-1)


class Calibration(Metric):
    r"""The powers (β, γ) ≥ 0 of `posterior` under which the labels seen are likeliest.

    `compute` maximises $\sum_i \log p_i(y_i) - \tfrac12 [(\beta - 1)^2 + \gamma^2]$, which is
    concave, by Newton's method; the last term stands for one answer that wants (1, 0), so that a
    handful of answers says little. With one opinion that is uniform this is temperature scaling.

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017, section 4.2; of two
    opinions, the logarithmic pool: Genest and Zidek, Combining Probability Distributions, 1986.
    """

    is_differentiable = False
    full_state_update = False

    opinions: list[Tensor]
    labels: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("opinions", [], dist_reduce_fx="cat")
        self.add_state("labels", [], dist_reduce_fx="cat")

    def update(self, first: Tensor, second: Tensor, label: Tensor) -> None:
        """Add two opinions (B, classes) on images, and what these are (B,)."""
        both = torch.stack([first, second], dim=1).double()
        self.opinions.append(both.clamp_min(LEAST).log())
        self.labels.append(label)

    def compute(self) -> Tensor:
        f = dim_zero_cat(self.opinions)  # (n, 2, classes)
        label = dim_zero_cat(self.labels)[:, None, None].expand(-1, 2, 1)
        truth = f.gather(2, label)[..., 0]
        start = f.new_tensor([1.0, 0.0])

        def gain(w: Tensor) -> Tensor:
            log_p = truth @ w - (w @ f).logsumexp(dim=-1)
            return log_p.sum() - PSEUDO / 2 * (w - start).square().sum()

        w = start
        for _ in range(NEWTON_STEPS):
            p = (w @ f).softmax(dim=-1)[:, None]  # (n, 1, classes)
            mean = (p * f).sum(dim=-1)
            gradient = (truth - mean).sum(dim=0) - PSEUDO * (w - start)
            spread = (f - mean[..., None]) * p.sqrt()
            curvature = torch.einsum("nic,njc->ij", spread, spread)
            curvature = curvature + PSEUDO * torch.eye(2).to(f)
            held = (w <= 0) & (gradient < 0)  # at the edge, and would leave
            curvature = torch.where(held[:, None] | held, torch.eye(2).to(f), curvature)
            step = torch.linalg.solve(curvature, gradient.masked_fill(held, 0))
            size = 1.0
            while gain(new := (w + size * step).clamp_min(0)) < gain(w) and size > 1e-6:
                size /= 2
            if (new - w).abs().max() < 1e-6:
                break
            w = new
        return w
