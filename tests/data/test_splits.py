import pytest
import torch

from diffstn.data.splits import check_shares, hold_out_share, split_by_name
from diffstn.errors import UserError


def test_names_decide_and_newcomers_move_no_other():
    names = [f"{i}.png" for i in range(400)]
    before = split_by_name(names, 0.1, 0.2, seed=3)
    after = split_by_name(["new.png", *names], 0.1, 0.2, seed=3)
    assert torch.cat([*before.values()]).sort().values.tolist() == list(range(400))
    for split, rows in before.items():
        assert {int(row) + 1 for row in rows} == set(after[split].tolist()) - {0}
    sizes = {split: len(rows) for split, rows in before.items()}
    assert sizes["val"] == pytest.approx(40, abs=4 * 6)  # four deviations of a binomial
    assert sizes["test"] == pytest.approx(80, abs=4 * 8)


def test_a_share_is_held_out_in_order_and_by_the_seed():
    rows = torch.arange(100, 200)
    left, out = hold_out_share(rows, 0.1, seed=0, purpose=0)
    assert (len(left), len(out)) == (90, 10)
    assert torch.equal(torch.cat([left, out]).sort().values, rows)
    assert torch.equal(out, out.sort().values)
    assert torch.equal(out, hold_out_share(rows, 0.1, seed=0, purpose=0)[1])
    assert not torch.equal(out, hold_out_share(rows, 0.1, seed=1, purpose=0)[1])
    assert not torch.equal(out, hold_out_share(rows, 0.1, seed=0, purpose=1)[1])
    assert len(hold_out_share(rows[:2], 0.1, seed=0, purpose=0)[1]) == 1


@pytest.mark.parametrize("shares", [(0, 0.1), (0.5, 0.5), (float("nan"), 0.1), ("some", 0.1)])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(UserError, match=r"data\.val and data\.test are shares"):
        check_shares(*shares)
