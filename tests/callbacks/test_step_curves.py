"""Curves by the step: which rows, of what."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch import Tensor, nn
from torch.utils.data import DataLoader

from diffstn.callbacks.step_curves import StepCurves, length

EXAMPLE = Path(__file__).parents[2] / "examples" / "your_package"


class Rows(Logger):
    """Keeps rows."""

    name, version = "rows", 0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, dict[str, float]] = {}

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        if "step/loss" in metrics:
            assert step is not None
            self.rows[step] = dict(metrics)

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        pass


class Line(pl.LightningModule):
    """y = w · x towards 1, whose loss and gradient can be written down."""

    def __init__(self, optimisers: int = 1) -> None:
        super().__init__()
        self.w = nn.ParameterList(nn.Parameter(torch.zeros(())) for _ in range(optimisers))
        self.automatic_optimization = optimisers == 1

    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD([w], lr=0.1 / (i + 1)) for i, w in enumerate(self.w)]

    def training_step(self, batch: Tensor, index: int) -> Any:
        losses = [(w * batch - 1).square().mean() for w in self.w]
        if self.automatic_optimization:
            return losses[0]
        for optimiser, loss in zip(self.optimizers(), losses, strict=True):
            optimiser.zero_grad()
            self.manual_backward(loss)
            optimiser.step()
        return {"loss": torch.stack(losses).sum().detach()}


def rows_of(
    model: pl.LightningModule, batches: int, **settings: Any
) -> dict[int, dict[str, float]]:
    rows = Rows()
    trainer = pl.Trainer(
        logger=rows,
        callbacks=[StepCurves()],
        accelerator="cpu",
        max_epochs=1,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        **settings,
    )
    trainer.fit(model, DataLoader(torch.ones(2 * batches), batch_size=2))
    return rows.rows


def losses(steps: int, rate: float = 0.1) -> list[float]:
    """Of gradient descent on (w - 1)²."""
    w, found = 0.0, []
    for _ in range(steps):
        found.append((w - 1) ** 2)
        w -= rate * 2 * (w - 1)
    return found


def test_rows_are_means_since_the_last_one():
    rows = rows_of(Line(), 7, log_every_n_steps=3)
    assert list(rows) == [1, 3, 6]
    expected = losses(6)
    assert rows[1]["step/loss"] == pytest.approx(expected[0])
    assert rows[3]["step/loss"] == pytest.approx(sum(expected[1:3]) / 2)
    assert rows[6]["step/loss"] == pytest.approx(sum(expected[3:6]) / 3)
    assert rows[6]["step/grad_norm"] == pytest.approx(2 * expected[5] ** 0.5)
    assert rows[6]["step/lr"] == pytest.approx(0.1)
    assert "step/items_per_second" not in rows[1]
    assert rows[3]["step/items_per_second"] > 0


def test_accumulated_gradients_are_one_step():
    rows = rows_of(Line(), 6, log_every_n_steps=1, accumulate_grad_batches=2)
    assert list(rows) == [1, 2, 3]
    for step, loss in enumerate(losses(3), 1):
        assert rows[step]["step/loss"] == pytest.approx(loss)
        assert rows[step]["step/grad_norm"] == pytest.approx(2 * loss**0.5)


def test_several_optimisers_have_a_rate_each_and_count_once():
    rows = rows_of(Line(optimisers=2), 4, log_every_n_steps=2)
    assert list(rows) == [1, 2, 4]
    assert (rows[4]["step/lr"], rows[4]["step/lr_2"]) == pytest.approx((0.1, 0.05))
    one, other = losses(4), losses(4, 0.05)
    assert rows[2]["step/loss"] == pytest.approx(one[1] + other[1])
    assert rows[4]["step/grad_norm"] == pytest.approx(2 * (one[3] + other[3]) ** 0.5)


def test_no_logger_no_work():
    curves = StepCurves()
    trainer = pl.Trainer(
        logger=False,
        callbacks=[curves],
        max_steps=1,
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Line(), DataLoader(torch.ones(2)))
    assert curves.sum is None
    assert not curves.due(0, 50)


def test_the_sum_is_kept_in_checkpoints(tmp_path: Path):
    one, other = StepCurves(), StepCurves()
    one.sum, one.batches = torch.tensor(3.0), 2
    torch.save(one.state_dict(), tmp_path / "state")
    other.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    assert (other.sum, other.batches) == (torch.tensor(3.0), 2)


def test_items_of_a_batch():
    assert length((torch.zeros(3, 2), torch.zeros(3))) == 3
    assert length({"a": torch.zeros(()), "b": [torch.zeros(5)]}) == 5
    assert length("nothing") == 0
