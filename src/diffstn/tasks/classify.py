"""Tell what images show."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from torch import Tensor

from diffstn.annotations import Count, OneOf
from diffstn.errors import UserError
from diffstn.metrics.labels.class_accuracy import ClassAccuracy
from diffstn.store.markdown import by_name, markdown
from diffstn.tasks.batches import answers
from diffstn.tasks.rounded import percentages
from diffstn.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class Classify(Task):
    """Accuracy in percent, over all and by class.

    The model's `classify` answers images (B, C, H, W) with probabilities (B, classes).

    Args:
        split: of the data.
        limit: only the first so many images; None: all.
        batch_size: images at once.
    """

    split: Annotated[str, OneOf(("test", "val"))] = "test"
    limit: Count | None = None
    batch_size: Count = 250

    def check(self, model: Any, data: Any) -> None:
        if not hasattr(model, "classify"):
            raise UserError(f"task=classify is none for {type(model).__name__}: it cannot classify")

    def measure(self, model: Any, data: Any, seed: int = 0) -> dict[str, Any]:
        start = time.perf_counter()
        accuracy = ClassAccuracy(data.facts.classes, sync_on_compute=False)
        total = min(data.count(self.split), self.limit or data.count(self.split))

        def read(rows: slice, batch: Any) -> tuple[Tensor, Tensor]:
            return model.classify(batch.image).cpu(), batch.label.cpu()

        for scores, label in answers(data, self.split, total, self.batch_size, model.device, read):
            accuracy.update(scores, label)
        found = percentages(accuracy)
        return {
            **found,
            "numbers": {"accuracy": found["accuracy"]},
            "protocol": {"split": self.split, "images": total},
            "images": total,
            "seconds": round(time.perf_counter() - start, 1),
        }

    def table(self, metrics: Mapping[str, Any]) -> str:
        total = markdown(["", ""], [("accuracy %", metrics["accuracy"])])
        return f"{total}\n\n{by_name('class', 'accuracy %', metrics['per_class'])}"
