from types import SimpleNamespace
from typing import Any

import pytest
import torch

from diffstn.callbacks.progress import Progress


def test_says_a_line_per_epoch_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]):
    trainer: Any = SimpleNamespace(
        optimizers=[],
        is_global_zero=True,
        estimated_stepping_batches=20,
        max_steps=-1,
        global_step=0,
        current_epoch=0,
        max_epochs=2,
        check_val_every_n_epoch=1,
        callback_metrics={"train/loss": torch.tensor(0.5)},
    )
    module: Any = None
    progress = Progress()
    progress.on_train_start(trainer, module)
    trainer.global_step = 10
    progress.on_train_batch_end(trainer, module)
    progress.on_train_epoch_end(trainer, module)
    progress.on_fit_end(trainer, module)
    printed = capsys.readouterr()
    assert printed.out.startswith("epoch 1/2  [00:00]  train/loss 0.5000")
    assert printed.err == ""


def test_other_ranks_are_silent(capsys: pytest.CaptureFixture[str]):
    trainer: Any = SimpleNamespace(
        optimizers=[], is_global_zero=False, check_val_every_n_epoch=1, callback_metrics={}
    )
    module: Any = None
    progress = Progress()
    progress.on_train_start(trainer, module)
    progress.on_train_epoch_end(trainer, module)
    progress.on_fit_end(trainer, module)
    assert capsys.readouterr() == ("", "")
