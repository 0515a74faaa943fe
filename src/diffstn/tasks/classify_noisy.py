"""Tell what noisy images show."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from diffstn.diffusion import gaussian_noise
from diffstn.errors import UserError
from diffstn.metrics.labels.class_accuracy import ClassAccuracy
from diffstn.store.markdown import by_name, markdown
from diffstn.tasks.batches import answers, batch_noise
from diffstn.tasks.classify import Classify
from diffstn.tasks.rounded import percentages


@dataclass(frozen=True, kw_only=True)
class ClassifyNoisy(Classify):
    """Accuracy over all noise levels, and at five of them; settings as for `Classify`."""

    def check(self, model: Any, data: Any) -> None:
        if not hasattr(model, "noisy"):
            name = type(model).__name__
            raise UserError(f"task=classify_noisy is none for {name}: it reads no noisy images")

    def measure(self, model: Any, data: Any, seed: int = 0) -> dict[str, Any]:
        start = time.perf_counter()
        T = model.schedule.steps
        levels = {f"t = {t}": t for t in (1, T // 4, T // 2, 3 * T // 4, T)}
        accuracy = {
            name: ClassAccuracy(data.facts.classes, sync_on_compute=False)
            for name in ("all", *levels)
        }
        total = min(data.count(self.split), self.limit or data.count(self.split))

        def read(rows: slice, batch: Any) -> tuple[dict[str, Tensor], Tensor]:
            generator, x_0 = batch_noise(seed, rows.start), model.codec.encode(batch.items)
            scores = {"all": model.noisy(x_0, generator).cpu()}
            for name, level in levels.items():
                t = torch.full(batch.label.shape, level, device=x_0.device)
                x_t = model.schedule.add_noise(x_0, t, gaussian_noise(x_0, generator))
                scores[name] = model(x_t, t).cpu()
            return scores, batch.label.cpu()

        for scores, label in answers(data, self.split, total, self.batch_size, model.device, read):
            for name, one in scores.items():
                accuracy[name].update(one, label)
        found = percentages(accuracy["all"])
        return {
            **found,
            "by_noise": {name: percentages(accuracy[name])["accuracy"] for name in levels},
            "numbers": {"accuracy": found["accuracy"]},
            "protocol": {"split": self.split, "images": total},
            "images": total,
            "seconds": round(time.perf_counter() - start, 1),
        }

    def table(self, metrics: Mapping[str, Any]) -> str:
        rows = [("accuracy %", metrics["accuracy"])]
        rows += [(f"at {t}", share) for t, share in metrics["by_noise"].items()]
        return f"{markdown(['', ''], rows)}\n\n" + by_name(
            "class", "accuracy %", metrics["per_class"]
        )
