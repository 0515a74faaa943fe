"""The loop over pairs of clouds: threads, progress and what it leaves behind."""

import pytest
import torch
from torch import Tensor

from diffstn.metrics.clouds import Chamfer, Wasserstein, chamfer, pairwise


def clouds(seed: int, n: int = 7, points: int = 40) -> Tensor:
    return torch.randn(n, points, 3, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_change_the_distances_and_their_number_is_left_as_it_was(threads: int):
    xs, ys = clouds(0), clouds(1, n=4)
    expected = torch.stack([chamfer(x.expand(4, -1, -1), ys) for x in xs])
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        found = pairwise(xs, ys, Chamfer())
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("budget", [1, 40 * 40 * 3, 1 << 23])
def test_a_set_against_itself_is_symmetric_whatever_the_blocks(budget: int):
    xs = clouds(2)
    found = pairwise(xs, xs, Chamfer(), budget=budget)
    assert torch.equal(found, found.T)
    assert (found.diagonal() == 0).all()
    whole = pairwise(xs, xs.clone(), Chamfer())
    torch.testing.assert_close(found, whole * (1 - torch.eye(len(xs))), atol=1e-7, rtol=1e-6)


def test_it_works_under_inference_mode_and_reports_every_row():
    seen: list[int] = []

    def progress(items, total):
        for count, item in enumerate(items):
            seen.append(total - count)
            yield item

    with torch.inference_mode():
        xs, ys = clouds(3), clouds(4, n=2)
        found = pairwise(xs, ys, Wasserstein(), progress=progress)
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    assert found.shape == (7, 2)
    assert (found > 0).all()


def test_an_error_in_a_thread_is_the_callers():
    class Broken:
        def block(self, xs: Tensor, ys: Tensor) -> Tensor:
            raise ZeroDivisionError("in a block")

    with pytest.raises(ZeroDivisionError, match="in a block"):
        pairwise(clouds(5), clouds(6), Broken())


def test_tiles_larger_than_the_memory_for_one_are_cut():
    x = clouds(7, n=1, points=1500)
    y = clouds(8, n=1, points=1300)
    apart = torch.cdist(x[0].double(), y[0].double()).square()
    expected = apart.amin(0).mean() + apart.amin(1).mean()
    found = pairwise(x, y, Chamfer())[0, 0]
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
