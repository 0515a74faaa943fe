"""Contenders that take turns, so that a busy moment of the machine meets all of them."""

import time
from collections.abc import Callable, Sequence


def seconds_of(work: Callable[[], object], times: int) -> float:
    """Of one call, the mean over so many."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def fastest(
    works: Sequence[Callable[[], object]],
    *,
    rounds: int,
    times: int,
    seconds: float,
    first: Callable[[int, float], None] = lambda i, found: None,
) -> list[float]:
    """Seconds of one call of each: the best mean of `times` calls over the rounds.

    Args:
        works: the contenders; each is called once more, to warm up.
        rounds: at most so many.
        times: calls of a contender in a round.
        seconds: no round begins that would end later than this; the first is always run.
        first: told the number of a contender and its seconds in the first round.
    """
    begin = time.perf_counter()
    best = []
    for i, work in enumerate(works):
        work()
        best.append(seconds_of(work, times))
        first(i, best[i])
    for _ in range(rounds - 1):
        if time.perf_counter() - begin + times * sum(best) > seconds:
            break
        best = [min(b, seconds_of(work, times)) for b, work in zip(best, works, strict=True)]
    return best
