from types import SimpleNamespace
from typing import Any

import pytest
import torch

from diffstn.callbacks.non_finite import EVERY, StopOnNonFiniteLoss
from diffstn.errors import UserError

TRAINER: Any = SimpleNamespace(global_step=17, current_epoch=2, optimizers=[None])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_names_the_step(value: float):
    with pytest.raises(UserError, match=r"at step 17 \(epoch 3\)"):
        StopOnNonFiniteLoss().on_train_batch_end(
            TRAINER,
            None,
            {"loss": torch.tensor(value)},
            None,
            0,  # type: ignore[arg-type]
        )


def test_a_model_that_tells_no_loss_is_stopped_by_its_weights():
    """With manual optimisation a step may answer nothing."""
    callback, module = StopOnNonFiniteLoss(), torch.nn.Linear(2, 2)
    callback.on_train_batch_end(TRAINER, module, {}, None, 0)  # type: ignore[arg-type]
    callback.on_save_checkpoint(TRAINER, module, {})  # type: ignore[arg-type]
    module.bias.data[1] = torch.nan
    with pytest.raises(UserError, match="bias is no finite number at step 17"):
        callback.on_save_checkpoint(TRAINER, module, {})  # type: ignore[arg-type]


def test_an_accelerator_is_asked_now_and_then_and_before_a_checkpoint():
    """The device "meta" computes nothing: what would wait for it fails."""
    callback, module = StopOnNonFiniteLoss(), torch.nn.Linear(2, 2)
    loss = {"loss": torch.zeros((), device="meta")}
    for _ in range(EVERY - 1):
        callback.on_train_batch_end(TRAINER, module, loss, None, 0)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        callback.on_train_batch_end(TRAINER, module, loss, None, 0)  # type: ignore[arg-type]
    callback.first = torch.tensor(12)
    with pytest.raises(UserError, match="NaN or infinite at step 12"):
        callback.on_save_checkpoint(TRAINER, module, {})  # type: ignore[arg-type]


@pytest.mark.parametrize("outputs", [{"loss": torch.tensor(1e30)}, torch.tensor(0.0), None])
def test_lets_numbers_pass(outputs: Any):
    StopOnNonFiniteLoss().on_train_batch_end(TRAINER, None, outputs, None, 0)  # type: ignore[arg-type]
