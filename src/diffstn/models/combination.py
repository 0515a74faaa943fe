"""How much each of several hypotheses counts.

A combination maps the judge's opinions of k corrected images, probabilities (B, k, classes), and
what the corrector itself believes the distorted image to show, (B, classes), to weights (B, k)
that sum to 1. The combined opinion is the weighted mean of the k opinions.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Combination = Callable[[Tensor, Tensor], Tensor]


def mean(probabilities: Tensor, belief: Tensor) -> Tensor:
    """All alike: the Monte Carlo estimate of p(y | image) = E_A p(y | image, A)."""
    return torch.full_like(probabilities[..., 0], 1 / probabilities.shape[1])


def most_confident(probabilities: Tensor, belief: Tensor) -> Tensor:
    """Only the hypothesis with the highest top probability."""
    return only(probabilities.amax(dim=-1))


def agreement(probabilities: Tensor, belief: Tensor) -> Tensor:
    r"""Only the hypothesis on which three opinions agree best.

    The score of hypothesis A is $\sum_y b(y)\,\bar p(y)\,p(y \mid \text{image}, A)$ with
    $\bar p$ the mean over all hypotheses: the probability that three labels are the same, one
    drawn from the corrector's belief b, one from what the judge reads in a hypothesis picked at
    random and one from what it reads in this one. Belief and mean are two estimates of
    p(y | image), one direct and one by way of the poses, which err on different images. A pose
    that turns a 6 into a 9 reads well upright, but not as what the distorted image was taken for.
    """
    expected = belief * probabilities.mean(dim=1)
    return only((probabilities * expected[:, None]).sum(dim=-1))


def only(score: Tensor) -> Tensor:
    """Weight 1 for the highest score of each row (B, k), 0 for the rest."""
    return F.one_hot(score.argmax(dim=1), score.shape[1]).to(score.dtype)


COMBINATIONS: dict[str, Combination] = {
    "mean": mean,
    "most_confident": most_confident,
    "agreement": agreement,
}


def combination(name: str) -> Combination:
    """Look a combination up by name; ValueError lists what there is."""
    if name not in COMBINATIONS:
        raise ValueError(f"no way to combine called '{name}'; choose {', '.join(COMBINATIONS)}")
    return COMBINATIONS[name]
