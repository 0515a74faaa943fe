"""How p follows the sign of overfitting."""

import pytest
import torch

from diffstn.adversarial import Adaptive


def told(controller: Adaptive, sign: float, batches: int) -> float:
    for step in range(batches):
        controller.observe(torch.tensor(sign), 100, step)
    return float(controller.p)


def test_p_rises_above_the_target_and_falls_below_at_the_rate_asked_for():
    controller = Adaptive(p=0.0, target=0.6, thousands=10)
    assert told(controller, 0.9, 3) == 0  # every four batches
    assert told(controller, 0.9, 40) == pytest.approx(0.4, abs=0.05)  # 4 000 of 10 000 images
    assert told(controller, 0.1, 20) == pytest.approx(0.2, abs=0.05)
    assert told(controller, 0.9, 400) == 1
    assert told(controller, -1.0, 400) == 0


def test_batches_between_two_changes_count_together():
    controller = Adaptive(p=0.5, target=0.6, thousands=10)
    for step, sign in enumerate((1.0, 1.0, 1.0, -1.0)):  # 0.5 on the mean
        controller.observe(torch.tensor(sign), 100, step)
    assert float(controller.p) == pytest.approx(0.5 - 0.04)


def test_without_a_target_p_is_fixed():
    controller = Adaptive(p=0.3)
    assert told(controller, 1.0, 40) == pytest.approx(0.3)
    assert controller.used
    assert not Adaptive().used
    assert Adaptive(target=0.6).used


def test_its_state_is_in_a_checkpoint():
    one, other = Adaptive(target=0.6, thousands=1), Adaptive(target=0.6, thousands=1)
    told(one, 0.9, 6)
    other.load_state_dict(one.state_dict())
    for step in (6, 7):
        one.observe(torch.tensor(0.9), 100, step)
        other.observe(torch.tensor(0.9), 100, step)
    assert float(one.p) == float(other.p) > 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"p": 1.5}, r"lies in \[0, 1\]"),
        ({"p": -0.1}, r"lies in \[0, 1\]"),
        ({"target": 1.0}, "between -1 and 1"),
        ({"thousands": 0.0}, "must be positive"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, float], said: str):
    with pytest.raises(ValueError, match=said):
        Adaptive(**settings)
