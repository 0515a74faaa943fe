import pytest
import torch

from diffstn.models.combination import COMBINATIONS, combination

OPINIONS = torch.tensor(
    [
        [[0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2]],
        [[0.9, 0.1, 0.0], [0.0, 0.2, 0.8], [0.0, 0.3, 0.7]],
    ]
)


def test_mean_averages_probabilities():
    combined = combination("mean")(OPINIONS)
    expected = torch.tensor([[1.1, 1.5, 0.4], [0.9, 0.6, 1.5]]) / 3
    torch.testing.assert_close(combined, expected)


def test_most_confident_takes_the_surest_hypothesis_whole():
    combined = combination("most_confident")(OPINIONS)
    assert torch.equal(combined, torch.stack([OPINIONS[0, 1], OPINIONS[1, 0]]))


@pytest.mark.parametrize("name", COMBINATIONS)
def test_one_hypothesis_is_its_own_combination_and_order_does_not_matter(name: str):
    combine = combination(name)
    assert torch.equal(combine(OPINIONS[:, :1]), OPINIONS[:, 0])
    torch.testing.assert_close(combine(OPINIONS.flip(1)), combine(OPINIONS))


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ValueError, match="'median'; choose mean, most_confident"):
        combination("median")
