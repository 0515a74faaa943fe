from collections.abc import Sequence
from typing import Annotated, Any

import pytest
import torch
from torch import nn

from diffstn.annotations import AtLeast, Count, OneOf, describe, fits, parameters

NAME = Annotated[str, OneOf(("best", "last"))]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (int, [0, -3], [1.0, "1", True, None, [1]]),
        (float, [0, -3.5], ["abc", True, None]),
        (bool, [True, False], [0, 1, "true"]),
        (str, ["", "a"], [1, None, True]),
        (int | None, [3, None], ["x", 1.5]),
        (float | torch.Tensor, [0.1, 1], ["abc", None]),
        (Count, [1, 7], [0, -1, 1.0, True]),
        (Count | None, [1, None], [0]),
        (NAME, ["best"], ["worst", None, 1]),
        (Sequence[int], [[], [1, 2]], [1, ["x"], "12", [1.5]]),
        (list[Count], [[1, 16]], [[0], 1]),
        (Count | list[Count] | None, [1, [1], None], [[0], "x"]),
        (tuple[float, float], [[0, 1.5]], [[1], [1, 2, 3], ["a", 1], 1]),
        (tuple[str, ...], [[], ["a"]], ["a", [1]]),
        (nn.Module, [{"_target_": "x"}], [1, "x", None]),
        (Any, [1, "x", None, []], []),
        (Annotated[float, AtLeast(0)], [0, 0.5], [-1, "x"]),
    ],
)
def test_values_fit_their_annotations(kind: Any, good: list[Any], bad: list[Any]):
    assert [value for value in good if not fits(value, kind)] == []
    assert [value for value in bad if fits(value, kind)] == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Count, "a whole number of at least 1"),
        (Count | None, "a whole number of at least 1 or null"),
        (float | torch.Tensor, "a number"),
        (NAME, "one of best, last"),
        (Sequence[int], "a list, each a whole number"),
        (tuple[float, float], "a list [a number, a number]"),
        (bool, "true or false"),
    ],
)
def test_annotations_read_as_words(kind: Any, words: str):
    assert describe(kind) == words


def test_parameters_follow_keywords_to_the_base_class_and_no_further():
    class Root:
        def __init__(self, hidden: int) -> None: ...

    class Base(Root):
        def __init__(self, a: int, b: float = 0.0) -> None: ...

    class Derived(Base):
        def __init__(self, a: str, c, **others: Any) -> None: ...

    assert parameters(Derived) == {"a": str, "c": Any, "b": float}
    assert parameters(Base) == {"a": int, "b": float}
    assert parameters(len) == {}  # a builtin's parameters cannot be named


def test_parameters_of_torchs_optimisers_are_read():
    assert parameters(torch.optim.SGD)["momentum"] is float
    assert "betas" in parameters(torch.optim.AdamW)
