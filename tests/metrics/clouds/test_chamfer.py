import pytest
import torch

from diffstn.metrics.clouds import Chamfer, chamfer, pairwise


def clouds(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def brute_force(x: torch.Tensor, y: torch.Tensor, squared: bool) -> float:
    """The definition, point by point."""

    def one_way(a: torch.Tensor, b: torch.Tensor) -> float:
        nearest = [min((p - q).double().square().sum().item() for q in b) for p in a]
        return sum(d if squared else d**0.5 for d in nearest) / len(a)

    return one_way(x, y) + one_way(y, x)


@pytest.mark.parametrize("squared", [True, False])
@pytest.mark.parametrize("dim", [2, 3])
def test_it_is_its_definition(squared: bool, dim: int):
    xs, ys = clouds(3, 7, dim), clouds(4, 5, dim, seed=1)
    found = pairwise(xs, ys, Chamfer(squared))
    expected = [[brute_force(x, y, squared) for y in ys] for x in xs]
    torch.testing.assert_close(found, torch.tensor(expected).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(chamfer(xs, ys[:3], squared), found[:, :3].diagonal())


def test_coinciding_points_far_from_the_origin_are_at_distance_zero():
    x = clouds(2, 50, 3) + 30
    assert chamfer(x, x.flip(1), squared=False).max() < 1e-6


@pytest.mark.parametrize("budget", [1, 40, 10**6])
def test_blocks_do_not_change_the_distances(budget: int):
    xs, ys = clouds(5, 6, 2), clouds(7, 9, 2, seed=1)
    expected = Chamfer().block(xs, ys)
    torch.testing.assert_close(pairwise(xs, ys, Chamfer(), budget), expected)
    own = pairwise(xs, xs, Chamfer(), budget)
    torch.testing.assert_close(own, Chamfer().block(xs, xs), atol=1e-12, rtol=1e-9)
    assert not own.diagonal().any()


def test_sets_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"of one D|\(A, N, D\)"):
        pairwise(clouds(2, 3, 2), clouds(2, 3, 3), Chamfer())
    with pytest.raises(ValueError, match="at least one point"):
        pairwise(clouds(2, 0, 2), clouds(2, 3, 2), Chamfer())
