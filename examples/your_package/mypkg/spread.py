"""A task of one's own: how well a sampler of numbers keeps their spread."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from diffstn.annotations import Count
from diffstn.errors import UserError
from diffstn.figures.panels import panel_page
from diffstn.store.markdown import markdown
from diffstn.tasks.task import Task


class Deviation(Metric):
    """Standard deviation of all that it is shown."""

    count: Tensor
    total: Tensor
    square: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("count", "total", "square"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, values: Tensor) -> None:
        self.count += values.numel()
        self.total += values.double().sum()
        self.square += values.double().square().sum()

    def compute(self) -> Tensor:
        mean = self.total / self.count
        return (self.square / self.count - mean.square()).sqrt()


@dataclass(frozen=True, kw_only=True)
class Spread(Task):
    """The deviation of samples beside that of the data."""

    samples_measured: Count = 1000

    def check(self, model: Any, data: Any) -> None:
        if not hasattr(model, "sample"):
            raise UserError("task=spread needs a model that samples")

    def measure(self, model: Any, data: Any, seed: int = 0) -> dict[str, Any]:
        real, made = Deviation(), Deviation()
        real.update(data.split("test").items)
        made.update(model.sample(self.samples_measured, seed).cpu())
        numbers = {
            "sd real": round(float(real.compute()), 4),
            "sd": round(float(made.compute()), 4),
        }
        return {"numbers": numbers, "protocol": {"samples": self.samples_measured}}

    def table(self, metrics: Any) -> str:
        return markdown(list(metrics["numbers"]), [list(metrics["numbers"].values())])

    def plot(self, model: Any, data: Any, folder: Path, seed: int = 0) -> list[tuple[str, Path]]:
        bars = torch.histc(model.sample(self.samples_measured, seed).cpu(), 60, -1, 1)
        heights = (bars / bars.max() * 40).long()
        image = (torch.arange(40, 0, -1)[:, None] <= heights).float()
        return [("samples", panel_page(image[None, None], folder / "samples.png", scale=4))]
