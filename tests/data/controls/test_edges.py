import pytest
import torch

from diffstn.data.controls import Edges
from diffstn.errors import UserError


def test_a_step_has_an_edge_on_both_its_sides_and_a_ramp_none():
    step = torch.zeros(1, 1, 6, 8)
    step[..., 4:] = 1
    edges = Edges()(step, (6, 8))
    assert edges[0, 0, 2].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]
    assert torch.equal(Edges()(step.mT, (8, 6)), edges.mT)
    assert torch.equal(Edges()(1 - step, (6, 8)), edges)
    ramp = torch.linspace(0, 1, 8).expand(1, 1, 6, 8)
    assert not Edges()(ramp, (6, 8)).any()
    assert Edges(threshold=0.1)(ramp, (6, 8)).any()


def test_f1_counts_hits():
    image = torch.zeros(1, 1, 8, 8)
    image[..., 2:5, 2:5] = 1
    control = Edges()(image, (8, 8))
    assert float(Edges().fidelity(image, control)["edges F1 %"]) == 100
    found, asked = Edges()(image.roll(2, -1), (8, 8)), control
    expected = 200 * float((found * asked).sum() / (found.sum() + asked.sum()))
    assert float(Edges().fidelity(image.roll(2, -1), control)["edges F1 %"]) == pytest.approx(
        expected
    )
    nothing = torch.zeros(1, 1, 8, 8)
    assert float(Edges().fidelity(nothing, nothing)["edges F1 %"]) == 100
    assert float(Edges().fidelity(nothing, control)["edges F1 %"]) == 0


@pytest.mark.parametrize("threshold", [0.0, 1.5])
def test_a_threshold_that_nothing_can_pass_is_refused(threshold):
    with pytest.raises(UserError, match="a gradient lies between 0 and"):
        Edges(threshold)
