from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, RMSprop

from diffstn.errors import UserError
from diffstn.models.optimised import OptimisedModule
from diffstn.networks.frozen import Frozen
from diffstn.optim.lr_schedules import constant


class Small(OptimisedModule):
    def __init__(self, **optimisation: Any) -> None:
        super().__init__(**optimisation)
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten())
        self.kept = Frozen(nn.Linear(4, 2))


def small(optimizer: Callable[..., Any]) -> Small:
    module = Small(optimizer=optimizer, lr_scheduler=constant)
    module._trainer = SimpleNamespace(estimated_stepping_batches=7)  # type: ignore[assignment]
    return module


def test_weight_decay_spares_biases_and_norms_and_frozen_weights_have_no_part():
    module = small(lambda groups: SGD(groups, lr=0.1, weight_decay=0.5))
    configured = module.configure_optimizers()
    decayed, spared = configured["optimizer"].param_groups
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.5, 0.0)
    convolution, norm, _ = module.body
    assert [id(p) for p in decayed["params"]] == [id(convolution.weight)]
    assert {id(p) for p in spared["params"]} == {
        id(p) for p in (convolution.bias, norm.weight, norm.bias)
    }
    assert configured["lr_scheduler"]["interval"] == "step"


def test_what_an_optimiser_does_not_take_is_refused_before_there_is_a_trainer():
    small(SGD).check_optimisation()
    with pytest.raises(UserError, match="optimizer: Invalid learning rate: -1"):
        small(lambda groups: SGD(groups, lr=-1)).check_optimisation()


def test_a_resumed_schedule_keeps_its_position_and_takes_its_shape_from_the_configuration():
    state = {
        "last_epoch": 5,
        "_step_count": 6,
        "_last_lr": [0.1],
        "lr_lambdas": [None],
        "total_steps": 5,
    }
    checkpoint = {"lr_schedulers": [state]}
    small(SGD).on_load_checkpoint(checkpoint)
    del state["total_steps"]
    assert checkpoint["lr_schedulers"] == [state]


def test_frozen_stays_in_evaluation_mode_while_gradients_flow_through():
    network = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.9))
    frozen = Frozen(network)
    whole = nn.Sequential(frozen).train()
    assert whole.training
    assert not any(module.training for module in frozen.modules())
    before = {name: value.clone() for name, value in frozen.state_dict().items()}
    x = torch.randn(8, 3, requires_grad=True)
    whole(x).square().sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    assert all(p.grad is None for p in frozen.parameters())
    assert all(torch.equal(before[name], value) for name, value in frozen.state_dict().items())


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda groups: SGD(groups, lr=0.1, momentum=5), "momentum=5"),
        (lambda groups: RMSprop(groups, lr=0.1, alpha=7), "alpha=7"),
        (lambda groups: SGD(groups, lr=0.1, momentum=0.5, dampening=float("nan")), "dampening=nan"),
    ],
)
def test_what_no_optimiser_learns_with_is_refused(make: Callable[..., Any], name: str):
    with pytest.raises(UserError, match=f"optimizer.{name}: must be"):
        small(make).check_optimisation()
