"""What correcting and redrawing images have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl

from diffstn.annotations import AtLeast, AtMost, Count, OneOf
from diffstn.callbacks.pose_sheet import PoseSheet
from diffstn.store.markdown import by_name, markdown
from diffstn.tasks.task import Precision, Task
from diffstn.tasks.watched import watched

ERROR_COLUMNS = {
    "rotation_deg": "rotation °",
    "rotation_deg_median": "median °",
    "scale_percent": "scale %",
    "translation_px": "shift px",
    "corner_px": "corners px",
    "psnr_db": "PSNR dB",
    "ssim": "SSIM",
}
CONFIDENCE = {"ece": "calibration error %", "error_at_95": "error % of surest 95 %"}
"""How far confidence is from the share that is right, and what it is good for."""

AT_ONCE = 2**16
"""Images of one batch, all hypotheses together: some gigabytes of memory."""


@dataclass(frozen=True, kw_only=True)
class Corrections(Task):
    """Distorted images, answered by several hypotheses each.

    Args:
        hypotheses: how many of an image to combine; one evaluation each, beside the model's own
            number. The first k of the same hypotheses serve every k. A model that leaves no choice
            is evaluated with its own number alone.
        split: of the data.
        limit: only the first so many images; None: all.
        batch_size: images at once; it changes no number of a deterministic sampler.
        per_class: images of a class on the page.
        watch: validation images of which a figure is drawn after each validation; 0 is none.
    """

    hypotheses: Count | Sequence[Count] = (1,)
    split: Annotated[str, OneOf(("test", "val"))] = "test"
    limit: Count | None = None
    batch_size: Count = 250
    per_class: Count = 4
    watch: Annotated[int, AtLeast(0), AtMost(64)] = 8

    def callbacks(
        self, model: Any, data: Any, folder: Path, precision: Precision
    ) -> list[pl.Callback]:
        """A figure of a few images after each validation, in `steps/poses`."""
        if not self.watch:
            return []
        return [PoseSheet(folder / "steps" / "poses", watched(data, self.watch), precision)]

    def __post_init__(self) -> None:
        asked = [self.hypotheses] if isinstance(self.hypotheses, int) else [*self.hypotheses]
        at_once = max([1, *asked]) * self.batch_size
        if at_once > AT_ONCE:
            raise ValueError(
                f"{max([1, *asked])} hypotheses of {self.batch_size} images are {at_once} images"
                f" at once, more than {AT_ONCE}: lower task.batch_size or task.hypotheses"
            )

    def counts(self, model: Any) -> list[int]:
        """The numbers of hypotheses to evaluate, ascending."""
        if fixed := getattr(model, "fixed_hypotheses", None):
            return [fixed]
        asked = self.hypotheses
        return sorted({model.hypotheses, *([asked] if isinstance(asked, int) else asked)})

    def total(self, data: Any) -> int:
        """How many images are looked at."""
        return min(data.count(self.split), self.limit or data.count(self.split))

    @staticmethod
    def headline(metrics: Mapping[str, Any]) -> dict[str, float]:
        """The numbers by which runs are compared."""
        found = {f"accuracy k={k}": one["accuracy"] for k, one in metrics["k"].items()}
        return {**found, "uncorrected": metrics["uncorrected"], "oracle": metrics["oracle"]}

    def table(self, metrics: Mapping[str, Any]) -> str:
        first = errors_of(next(iter(metrics["k"].values())))
        sure = "confidence" in next(iter(metrics["k"].values()))
        columns = [name for name in ERROR_COLUMNS if name in first]
        as_is = metrics.get("images_as_is", {})

        def line(
            name: str,
            accuracy: float,
            errors: Mapping[str, float],
            confidence: Mapping[str, float] | None = None,
        ) -> list[Any]:
            cells = [f"{errors[column]:.2f}" if errors else "" for column in columns]
            if sure:
                cells += [f"{(confidence or {})[n]:.2f}" if confidence else "" for n in CONFIDENCE]
            return [name, accuracy, *cells]

        body = [line("uncorrected", metrics["uncorrected"], as_is.get("uncorrected", {}))]
        for k, numbers in metrics["k"].items():
            name = "corrected" if len(metrics["k"]) == 1 else f"corrected, k = {k}"
            found = errors_of(numbers), numbers.get("confidence")
            body.append(line(name, numbers["accuracy"], *found))
        body.append(line("oracle", metrics["oracle"], as_is.get("oracle", {})))
        header = ["", "accuracy %", *(ERROR_COLUMNS[name] for name in columns)]
        header += CONFIDENCE.values() if sure else []
        last = list(metrics["k"].values())[-1]
        parts = [markdown(header, body), by_name("class", "accuracy %", last["per_class"])]
        if "calibration" in last:
            fits = {k: str(one["calibration"]).replace(" ", "") for k, one in metrics["k"].items()}
            said = ", ".join(f"model.calibration={powers} (k = {k})" for k, powers in fits.items())
            parts.append(f"most honest about these images would be {said}")
        return "\n\n".join(parts)


def errors_of(numbers: Mapping[str, Any]) -> Mapping[str, float]:
    """The errors of poses or of images among the numbers of one evaluation."""
    return numbers.get("pose") or numbers.get("image") or {}
