"""How much each of several hypotheses counts.

A combination maps the judge's opinions of k corrected images, probabilities (B, k, classes), and
what the corrector itself believes the distorted image to show, (B, classes), to weights (B, k)
that sum to 1. The combined opinion is the weighted mean of the k opinions. Odds, (k,) or (B, k),
multiply the scores of hypotheses that were likelier than others before anything was read.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Score = Callable[[Tensor, Tensor], Tensor]


def alike(probabilities: Tensor, belief: Tensor) -> Tensor:
    """1 for every hypothesis: they were drawn from p(A | image)."""
    return torch.ones_like(probabilities[..., 0])


def certainty(probabilities: Tensor, belief: Tensor) -> Tensor:
    """The top probability of each hypothesis."""
    return probabilities.amax(dim=-1)


SHARPNESS = 4
"""How often `agreed` counts what the judge reads in the hypothesis itself."""


def agreed(probabilities: Tensor, belief: Tensor) -> Tensor:
    r"""How well three opinions agree on a hypothesis.

    The score of hypothesis A is $\sum_y b(y)\,\bar p(y)\,p(y \mid \text{image}, A)^4$ with
    $\bar p$ the mean over all hypotheses: the probability that six labels are the same, one drawn
    from the corrector's belief b, one from what the judge reads in a hypothesis picked at random
    and `SHARPNESS` from what it reads in this one. Belief and mean are two estimates of
    p(y | image), one direct and one by way of the poses, which err on different images. A pose
    that turns a 6 into a 9 reads well upright, but not as what the distorted image was taken for.
    The power tells hypotheses of one label apart where the judge is seldom sure: of a thousand
    photographs sixteen poses read 0.5 (eight rotations) and 0.2 points more than with 1, which is
    within chance, and one to two more where the image as it is is among them; of digits the same.
    """
    expected = belief * probabilities.mean(dim=1)
    return (probabilities**SHARPNESS * expected[:, None]).sum(dim=-1)


class Combination(NamedTuple):
    """A score of hypotheses, (B, k, classes) and (B, classes) → (B, k), and what to make of it."""

    score: Score
    exclusive: bool
    """Whether only the hypothesis with the highest score counts."""

    def __call__(self, probabilities: Tensor, belief: Tensor, odds: Tensor | float = 1) -> Tensor:
        """The weights (B, k)."""
        if self.exclusive:
            score = self.score(probabilities, belief) * odds
            return F.one_hot(score.argmax(dim=1), score.shape[1]).to(score.dtype)
        return self.shares(probabilities, belief, odds)

    def shares(self, probabilities: Tensor, belief: Tensor, odds: Tensor | float = 1) -> Tensor:
        """The scores of an image's hypotheses, (B, k), so scaled that they sum to 1."""
        score = (self.score(probabilities, belief) * odds).clamp_min(1e-30)
        return score / score.sum(dim=1, keepdim=True)


COMBINATIONS = {
    "mean": Combination(alike, exclusive=False),
    "most_confident": Combination(certainty, exclusive=True),
    "agreement": Combination(agreed, exclusive=True),
}
"""`mean` is the Monte Carlo estimate of p(y | image) = E_A p(y | image, A)."""


def combination(name: str) -> Combination:
    """Look a combination up by name; ValueError lists what there is."""
    if name not in COMBINATIONS:
        raise ValueError(f"no way to combine called '{name}'; choose {', '.join(COMBINATIONS)}")
    return COMBINATIONS[name]
