import pytest
import torch

from diffstn.models.combination import COMBINATIONS, combination

OPINIONS = torch.tensor(
    [
        [[0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2]],
        [[0.9, 0.1, 0.0], [0.0, 0.2, 0.8], [0.0, 0.3, 0.7]],
    ]
)
BELIEF = torch.tensor([[0.9, 0.0, 0.1], [0.1, 0.1, 0.8]])


def test_mean_counts_all_alike():
    torch.testing.assert_close(combination("mean")(OPINIONS, BELIEF), torch.full((2, 3), 1 / 3))


def test_most_confident_takes_the_surest_hypothesis_whatever_the_belief():
    expected = torch.tensor([[0.0, 1, 0], [1, 0, 0]])
    assert torch.equal(combination("most_confident")(OPINIONS, BELIEF), expected)


def test_agreement_takes_the_hypothesis_that_reads_as_believed():
    expected = BELIEF * OPINIONS.mean(1)
    torch.testing.assert_close(expected[0], torch.tensor([0.33, 0, 0.04 / 3]))
    scores = (OPINIONS**4 * expected[:, None]).sum(-1)
    torch.testing.assert_close(
        scores[0], torch.tensor([0.0206263, 0.0000343, 0.0206463]), rtol=1e-3, atol=0
    )
    chosen = torch.tensor([[0.0, 0, 1], [0, 1, 0]])
    assert torch.equal(combination("agreement")(OPINIONS, BELIEF), chosen)


def test_odds_make_a_hypothesis_likelier():
    odds = torch.tensor([1.0, 1.0, 3.0])
    shares = combination("mean")(OPINIONS, BELIEF, odds)
    torch.testing.assert_close(shares, torch.tensor([[0.2, 0.2, 0.6]]).expand(2, 3))
    agreement = combination("agreement")
    assert agreement(OPINIONS, BELIEF)[1].argmax() == 1
    assert agreement(OPINIONS, BELIEF, odds)[1].argmax() == 2


def test_agreement_listens_to_the_other_hypotheses_where_the_belief_is_undecided():
    sixes_and_a_nine = torch.tensor([[[0.0, 1.0], [0.9, 0.1], [0.8, 0.2], [0.9, 0.1]]])
    undecided, sure = torch.tensor([[0.49, 0.51]]), torch.tensor([[0.1, 0.9]])
    agreement = combination("agreement")
    assert agreement(sixes_and_a_nine, undecided).argmax() == 1
    assert agreement(sixes_and_a_nine, sure).argmax() == 0


@pytest.mark.parametrize("name", COMBINATIONS)
def test_weights_sum_to_one_and_follow_their_hypotheses(name: str):
    combine = combination(name)
    weights = combine(OPINIONS, BELIEF)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
    torch.testing.assert_close(combine(OPINIONS.flip(1), BELIEF), weights.flip(1))
    assert torch.equal(combine(OPINIONS[:, :1], BELIEF), torch.ones(2, 1))


@pytest.mark.parametrize("name", COMBINATIONS)
def test_shares_order_hypotheses_by_their_score(name: str):
    shares = combination(name).shares(OPINIONS, BELIEF)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(2))
    score = {
        "mean": torch.ones(2, 3),
        "most_confident": torch.tensor([[0.5, 0.8, 0.5], [0.9, 0.8, 0.7]]),
        "agreement": (OPINIONS**4 * (BELIEF * OPINIONS.mean(1))[:, None]).sum(-1),
    }[name]
    torch.testing.assert_close(shares, score / score.sum(dim=1, keepdim=True))


def test_shares_of_hypotheses_that_nobody_believes_in_are_numbers():
    nobody = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    shares = combination("agreement").shares(nobody, torch.tensor([[0.0, 1.0]]))
    assert torch.equal(shares, torch.full((1, 2), 0.5))


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ValueError, match="'median'; choose mean, most_confident, agreement"):
        combination("median")
