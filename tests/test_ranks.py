"""Work and noise that two processes share, over a real process group."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from diffstn import ranks
from tests.forked import two_ranks

CPU = torch.device("cpu")


def on_two(work: Callable[[], dict], folder: Path) -> list[dict]:
    """What `work` returns on each of two processes that work together."""

    def joined() -> int:
        with ranks.joined(CPU):
            rank, world = ranks.group()
            assert world == 2
            torch.save(work(), folder / f"{rank}.pt")
        return 0

    both = two_ranks(joined, folder)
    assert [one.wait() for one in both] == [0, 0], "".join(one.said.read_text() for one in both)
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


def answers() -> dict:
    """Of nine parts, which two cannot share evenly, and who worked on them."""
    worked = []

    def work(part: int) -> tuple[int, Tensor, tuple[int, int]]:
        worked.append(part)
        return part, torch.full((part,), part), ranks.group()

    return {"found": list(ranks.in_order(range(9), work)), "worked": worked}


def draws() -> dict:
    """Noise for five items of three rows, and for four of one."""
    ranks.seed_common(7, CPU)

    def draw(n: int, generator: torch.Generator | None) -> Tensor:
        return torch.randn(n, 2, generator=generator)

    first = ranks.of_all(draw, 15, CPU, each=3)
    state = ranks.common(CPU).get_state()
    second = ranks.of_all(draw, 4, CPU)
    ranks.seed_common(0, CPU).set_state(state)
    assert torch.equal(ranks.of_all(draw, 4, CPU), second)
    return {"first": first, "second": second, "agreed": ranks.agreed(ranks.group()[0] == 0)}


def test_answers_come_in_order_on_both_and_each_works_on_its_share(tmp_path: Path):
    both = on_two(answers, tmp_path)
    for one in both:
        assert [part for part, *_ in one["found"]] == list(range(9))
        assert all(torch.equal(x, torch.full((part,), part)) for part, x, _ in one["found"])
        assert {alone for *_, alone in one["found"]} == {(0, 1)}  # noise is drawn for the part
    assert [one["worked"] for one in both] == [[0, 2, 4, 6, 8], [1, 3, 5, 7]]


def test_noise_belongs_to_the_item(tmp_path: Path):
    both = on_two(draws, tmp_path)
    generator = torch.Generator().manual_seed(7)
    whole = torch.randn(30, 2, generator=generator).unflatten(0, (10, 3))
    then = torch.randn(8, 2, generator=generator)
    for rank, one in enumerate(both):
        assert torch.equal(one["first"], whole[rank::2].flatten(0, 1))
        assert torch.equal(one["second"], then[rank::2])
        assert not one["agreed"]


def test_a_lone_process_works_on_everything_as_it_comes():
    started = []

    def work(part: int) -> int:
        started.append(part)
        return part

    found = ranks.in_order(range(3), work)
    assert next(found) == 0
    assert started == [0]
    assert list(found) == [1, 2]
    assert ranks.agreed(True)
    assert ranks.common(CPU) is None


def test_a_failing_part_leaves_the_process_in_its_group(tmp_path: Path):
    def fails(part: int) -> int:
        raise ValueError(part)

    with pytest.raises(ValueError, match="0"):
        list(ranks.in_order(range(2), fails))
    assert not ranks._parts


def test_a_process_whose_fellow_has_died_says_so(tmp_path: Path):
    def work() -> int:
        with ranks.joined(CPU):
            if ranks.group()[0] == 1:
                os._exit(9)
            try:
                ranks.agreed(True)
            except RuntimeError as error:
                said = ranks.deserted(error)
                os._exit(2 if said and "another process of this run has died" in str(said) else 1)
        return 0

    assert [one.wait() for one in two_ranks(work, tmp_path)] == [2, 9]
    assert ranks.deserted(RuntimeError("shapes do not fit")) is None
