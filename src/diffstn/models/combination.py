"""How the judge's opinions of several hypotheses become one."""

from collections.abc import Callable

from torch import Tensor


def mean(probabilities: Tensor) -> Tensor:
    """Average over hypotheses, the Monte Carlo estimate of p(y | picture) = E_A p(y | picture, A).

    (B, k, classes) → (B, classes).
    """
    return probabilities.mean(dim=1)


def most_confident(probabilities: Tensor) -> Tensor:
    """The opinion on the hypothesis with the highest top probability.

    (B, k, classes) → (B, classes).
    """
    best = probabilities.amax(dim=-1).argmax(dim=1)
    return probabilities[range(len(best)), best]


COMBINATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": mean,
    "most_confident": most_confident,
}


def combination(name: str) -> Callable[[Tensor], Tensor]:
    """Look a combination up by name; ValueError lists what there is."""
    if name not in COMBINATIONS:
        raise ValueError(f"no way to combine called '{name}'; choose {', '.join(COMBINATIONS)}")
    return COMBINATIONS[name]
