"""What an open epoch is made of; that runs end to the bit is tested in tests/runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics import MaxMetric

from diffstn.callbacks.last_checkpoint import LastCheckpoint
from diffstn.errors import Stopped
from diffstn.store.stopping import Stopping
from diffstn.store.whole_files import WholeFiles


class Loader:
    """Six batches whose order depends on nothing, for a user's `skip` or without one."""

    sampler = batch_sampler = None

    def __iter__(self) -> Iterator[Tensor]:
        yield from torch.arange(24.0).view(6, 4)

    def __len__(self) -> int:
        return 6


class Line(pl.LightningModule):
    """Logs a mean, a sum, a maximum and a metric of its own; draws noise."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4))
        self.most = MaxMetric()
        self.seen: list[float] = []

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        self.seen.append(batch[0].item())
        loss = (self.weight - batch - torch.randn(4)).square().mean()
        self.most.update(loss.detach())
        for name, reduce_fx in (("mean", torch.mean), ("sum", torch.sum), ("max", torch.max)):
            options: dict[str, Any] = {"on_step": False, "on_epoch": True, "reduce_fx": reduce_fx}
            self.log(name, loss.detach(), batch_size=len(batch), **options)
        return loss

    def on_train_epoch_end(self) -> None:
        self.log("own", self.most.compute())
        self.most.reset()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD([self.weight], lr=0.1)


def fit(path: Path, stop: int | None = None, resume: bool = False) -> tuple[Line, dict[str, float]]:
    """Train for an epoch; stop after `stop` steps."""
    stopping = Stopping()

    class Ask(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
            if trainer.global_step == stop:
                stopping.number = 15

    model = Line()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        callbacks=[Ask(), LastCheckpoint(path, 10, stopping)],
        plugins=[WholeFiles()],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    torch.manual_seed(5 if not resume else 6)
    last = path if resume else None
    if stop is None:
        trainer.fit(model, Loader(), ckpt_path=last, weights_only=True)  # type: ignore[arg-type]
    else:
        with pytest.raises(Stopped, match="SIGTERM"):
            trainer.fit(model, Loader())  # type: ignore[arg-type]
    return model, {name: value.item() for name, value in trainer.callback_metrics.items()}


@pytest.mark.filterwarnings("ignore:.*num_workers|.*log_every|.*not resumable|.*many workers")
@pytest.mark.parametrize("stop", [1, 4, 5])
def test_an_open_epoch_goes_on_where_it_was(tmp_path: Path, stop: int):
    straight, wanted = fit(tmp_path / "a" / "last.ckpt")
    before, _ = fit(tmp_path / "b" / "last.ckpt", stop)
    after, found = fit(tmp_path / "b" / "last.ckpt", resume=True)
    assert before.seen + after.seen == straight.seen == [0, 4, 8, 12, 16, 20]
    assert torch.equal(after.weight, straight.weight)
    assert found == wanted
    assert set(found) == {"mean", "sum", "max", "own"}
