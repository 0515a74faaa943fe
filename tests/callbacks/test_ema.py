from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from diffstn.callbacks.ema import EMA
from diffstn.errors import UserError


class Line(pl.LightningModule):
    """y = w x with a batch norm, so that there are floating and integer buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(2, 1)
        self.norm = nn.BatchNorm1d(1)
        self.validated_on: list[Tensor] = []

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        return (self.norm(self.line(batch)) + self.line(batch)).square().mean()

    def validation_step(self, batch: Tensor, index: int) -> None:
        self.validated_on.append(self.line.weight.detach().clone())

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Recorder(pl.Callback):
    """The weights after every step."""

    def __init__(self) -> None:
        self.states: list[dict[str, Tensor]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        self.states.append({k: v.clone() for k, v in module.state_dict().items()})


def trainer(*callbacks: pl.Callback, epochs: int = 2) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


@pytest.fixture
def batches() -> DataLoader:
    """Three batches of eight."""
    points = torch.randn(24, 2, generator=torch.Generator().manual_seed(0))
    return DataLoader(points, batch_size=8)  # type: ignore[arg-type]


def fitted(batches: DataLoader, *callbacks: pl.Callback) -> tuple[Line, pl.Trainer]:
    torch.manual_seed(0)
    model, run = Line(), trainer(*callbacks)
    run.fit(model, batches, batches)
    return model, run


def test_is_the_formula_with_its_warm_up(batches: DataLoader):
    ema, recorder = EMA(0.3), Recorder()
    torch.manual_seed(0)
    expected = {k: v.clone() for k, v in Line().state_dict().items()}
    fitted(batches, recorder, ema)
    for n, state in enumerate(recorder.states, start=1):
        d = min(0.3, (1 + n) / (10 + n))
        for name, value in state.items():
            floating = value.is_floating_point()
            expected[name] = d * expected[name] + (1 - d) * value if floating else value
    assert len(recorder.states) == 6
    assert ema.average.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(ema.average[name], value)


def test_validation_runs_on_the_average_and_training_is_undisturbed(batches: DataLoader):
    ema = EMA(0.9)
    averaged, _ = fitted(batches, ema)
    plain, _ = fitted(batches)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, averaged.state_dict()[name]), name
    assert torch.equal(averaged.validated_on[-1], ema.average["line.weight"])
    assert not torch.equal(averaged.validated_on[-1], plain.validated_on[-1])


def test_a_checkpoint_holds_the_raw_weights_and_the_average_apart(batches: DataLoader):
    ema = EMA(0.9)
    model, run = fitted(batches, ema)
    checkpoint = run._checkpoint_connector.dump_checkpoint()
    assert torch.equal(checkpoint["state_dict"]["line.weight"], model.line.weight)
    assert torch.equal(checkpoint["ema_state_dict"]["line.weight"], ema.average["line.weight"])
    resumed = EMA(0.9)
    resumed.on_load_checkpoint(run, model, checkpoint)
    resumed.on_fit_start(run, model)
    assert all(torch.equal(resumed.average[k], v) for k, v in ema.average.items())


def test_a_checkpoint_without_an_average_is_refused(batches: DataLoader):
    model, run = fitted(batches)
    checkpoint = run._checkpoint_connector.dump_checkpoint()
    with pytest.raises(UserError, match="resume with ema_decay=0"):
        EMA(0.9).on_load_checkpoint(run, model, checkpoint)


@pytest.mark.parametrize("decay", [-0.1, 0.0, 1.0, 2.0])
def test_a_decay_out_of_range_is_refused(decay: float):
    with pytest.raises(UserError, match="between 0 and 1"):
        EMA(decay)
