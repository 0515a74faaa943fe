import pytest
import torch

from diffstn.diffusion.broadcast import broadcast


@pytest.mark.parametrize(
    ("coefficients", "x", "expected"),
    [
        ((2,), (2, 6), (2, 1)),
        ((2,), (2, 3, 8, 8), (2, 1, 1, 1)),
        ((2, 4), (2, 4, 6), (2, 4, 1)),
        ((), (2, 6), (1, 1)),
        ((2,), (2,), (2,)),
    ],
)
def test_trailing_dimensions_are_appended(coefficients, x, expected):
    assert broadcast(torch.ones(coefficients), torch.ones(x)).shape == expected
