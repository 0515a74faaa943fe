"""What a network is told of a judge's reading."""

import pytest
import torch

from diffstn.models.top_readings import FLOOR, TopReadings


def test_the_likeliest_stand_at_their_places_and_the_others_at_the_floor():
    log_probabilities = torch.tensor([[-3.0, -0.1, -12.0, -2.5], [0.0, -11.0, -40.0, -10.5]])
    told = TopReadings(3, 4)(log_probabilities)
    expected = torch.tensor([[0.7, 0.99, 0.0, 0.75], [1.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(told, expected)
    assert FLOOR == -10
    torch.testing.assert_close(TopReadings(1, 4)(log_probabilities)[0], torch.eye(4)[1] * 0.99)


@pytest.mark.parametrize("k", [0, 5])
def test_more_classes_than_there_are_is_refused(k: int):
    with pytest.raises(ValueError, match=f"model.topk={k}: these data have 4 classes; choose 1 to"):
        TopReadings(k, 4)
