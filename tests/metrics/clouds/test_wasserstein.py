from itertools import permutations

import pytest
import torch

from diffstn.metrics.clouds import Wasserstein, pairwise


@pytest.mark.parametrize("p", [1, 2])
def test_it_is_the_best_of_all_assignments(p: int):
    generator = torch.Generator().manual_seed(0)
    xs, ys = (torch.randn(2, 5, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    found = pairwise(xs, ys, Wasserstein(p))
    for i, x in enumerate(xs):
        for j, y in enumerate(ys):
            costs = [
                (x - y[list(order)]).norm(dim=1).pow(p).mean() for order in permutations(range(5))
            ]
            assert found[i, j] == pytest.approx(min(costs).item() ** (1 / p), abs=1e-9)


def test_a_shift_costs_its_length():
    x = torch.randn(1, 40, 3, generator=torch.Generator().manual_seed(0))
    shifted = x + torch.tensor([0.3, 0.0, 0.4])
    for p in (1, 2):
        assert Wasserstein(p).block(x, shifted).item() == pytest.approx(0.5, abs=1e-6)


def test_clouds_of_different_sizes_are_refused_with_a_remedy():
    with pytest.raises(ValueError, match="use Sinkhorn"):
        Wasserstein().block(torch.zeros(1, 3, 2), torch.zeros(1, 4, 2))
    with pytest.raises(ValueError, match="p is 1 or 2"):
        Wasserstein(3)
