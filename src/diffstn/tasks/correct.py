"""Turn images upright."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from diffstn.data.labelled import Labelled
from diffstn.errors import UserError
from diffstn.figures.animation import animation_gif
from diffstn.figures.hypotheses import hypotheses_page
from diffstn.figures.pages import correction_page
from diffstn.figures.reverse_strip import reverse_strip
from diffstn.metrics.labels.calibration import Calibration
from diffstn.metrics.labels.class_accuracy import ClassAccuracy
from diffstn.metrics.labels.reliability import Reliability
from diffstn.metrics.poses.corner_error import CornerError
from diffstn.metrics.poses.pose_error import PoseError
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.spatial import Affine, as_matrix, decompose
from diffstn.tasks.batches import answers, batch_noise, first_of_each_class
from diffstn.tasks.confidence_figures import confidence_figures
from diffstn.tasks.corrections import Corrections
from diffstn.tasks.rounded import percentages
from diffstn.tasks.task import Figure

HYPOTHESES_SHOWN = 8
ANGLES_SHOWN = 200
STEPS_SHOWN = 40
"""Of a reverse process, enough for motion to be seen."""


class Answer(NamedTuple):
    """To a batch of B images, by k: probabilities of the classes (B, classes), how sure they are
    (B,) and which opinions say so, see `PoseCorrector.opinions`, and poses (B, dim).
    """

    label: Tensor
    A: Tensor
    scores: dict[int, Tensor]
    confidence: dict[int, Tensor]
    opinions: dict[int, tuple[Tensor, Tensor]]
    chosen: dict[int, Tensor]
    uncorrected: Tensor
    oracle: Tensor


@dataclass(frozen=True, kw_only=True)
class Correct(Corrections):
    """Accuracy of the classifier on corrected images, errors of the poses, and what bounds them.

    `uncorrected` shows the classifier the distorted images as they are (resized to its input),
    `oracle` the images corrected with the true pose by the model's own kernel. Of validation images
    it is also said which `calibration` fits them best. Settings as for `Corrections`.
    """

    def check(self, model: Any, data: Any) -> None:
        if not isinstance(model, PoseCorrector):
            raise UserError(
                f"task=correct is none for {type(model).__name__}: it asks for a PoseCorrector"
            )

    def measure(self, model: PoseCorrector, data: Any, seed: int = 0) -> dict[str, Any]:
        start, counts, total = time.perf_counter(), self.counts(model), self.total(data)
        generator = torch.Generator().manual_seed(seed)
        latents = model.sample_latents(total, counts[-1], generator)
        classes = data.facts.classes
        accuracy = {k: ClassAccuracy(classes, sync_on_compute=False) for k in counts}
        errors = {k: pose_metric(model) for k in counts}
        reliability = {k: Reliability(sync_on_compute=False) for k in counts}
        calibration = {k: Calibration(sync_on_compute=False) for k in counts}
        uncorrected, oracle = (ClassAccuracy(classes, sync_on_compute=False) for _ in range(2))

        def corrected(rows: slice, batch: Any) -> Answer:
            correction = model(
                batch.image, latents=latents[rows], generator=batch_noise(seed, rows.start)
            )
            every = range(len(batch.label))
            identity = model.transformation.identity().to(batch.image.device)
            as_is = model.warp(batch.image, identity.expand(len(batch.label), 1, -1))
            true = model.warp_by(model.target_transformation, batch.image, batch.A)
            combined = {k: model.combine(correction, k) for k in counts}
            few = {k: correction.first(k) for k in counts}
            opinions = {k: model.opinions(few[k], of) for k, of in combined.items()}
            return Answer(
                batch.label.cpu(),
                batch.A.cpu(),
                {k: scores.cpu() for k, scores in combined.items()},
                {k: model.confidence(few[k], of).cpu() for k, of in combined.items()},
                {k: (first.cpu(), second.cpu()) for k, (first, second) in opinions.items()},
                {k: correction.A[every, model.representative(correction, k)].cpu() for k in counts},
                model.judge(as_is)[:, 0].cpu(),
                model.judge(true[:, None])[:, 0].cpu(),
            )

        for one in answers(data, self.split, total, self.batch_size, model.device, corrected):
            for k in counts:
                accuracy[k].update(one.scores[k], one.label)
                right = one.scores[k].argmax(dim=1) == one.label
                reliability[k].update(one.confidence[k], right)
                if self.split == "val":  # on test images it would be a look at the answers
                    calibration[k].update(*one.opinions[k], one.label)
                if (error := errors[k]) is not None:
                    error.update(one.chosen[k], one.A)
            uncorrected.update(one.uncorrected, one.label)
            oracle.update(one.oracle, one.label)
        by_count = {
            k: {
                **percentages(accuracy[k]),
                "confidence": rounded(reliability[k].compute()),
                "pose": rounded(error.compute()) if (error := errors[k]) is not None else {},
            }
            for k in counts
        }
        if self.split == "val":
            for k, metric in calibration.items():
                by_count[k]["calibration"] = [round(w, 2) for w in metric.compute().tolist()]
        found = {
            "accuracy": by_count[counts[0]]["accuracy"],
            "uncorrected": percentages(uncorrected)["accuracy"],
            "oracle": percentages(oracle)["accuracy"],
            "k": {str(k): numbers for k, numbers in by_count.items()},
        }
        return {
            **found,
            "numbers": self.headline(found),
            "protocol": {"split": self.split, "images": total},
            "images": total,
            "seconds": round(time.perf_counter() - start, 1),
        }

    def plot(self, model: Any, data: Any, folder: Path, seed: int = 0) -> list[Figure]:
        """A page of corrections; of diffusion models also the reverse process and hypotheses; and
        how sure it was of the first images, with those that it was wrong about.
        """
        rows = first_of_each_class(data, "test", self.per_class)
        batch = data.batch("test", rows, model.device)
        generator = torch.Generator().manual_seed(seed)
        correction = model(batch.image, generator=generator)
        every = torch.arange(len(rows), device=model.device)
        page = correction_page(
            batch.image,
            correction.images[every, model.representative(correction)],
            batch.upright,
            batch.label,
            model.combine(correction).argmax(dim=-1),
            folder / "corrected.png",
            classes=data.facts.classes,
            examples=self.per_class,
        )
        figures = [("corrected", page)]
        if hasattr(model, "reverse_process"):
            figures += plot_diffusion(model, batch, folder, generator)
        told = model, data, self.split, self.batch_size
        return figures + confidence_figures(*told, folder, seed)

    def to_keep(self, model: Any, data: Any, n: int, seed: int = 0) -> Labelled:
        """The first n images of the split, corrected."""
        rows = torch.arange(min(n, data.count(self.split)))
        batch = data.batch(self.split, rows, model.device)
        found = model.correct(batch.image, seed=seed)
        return Labelled(found.images.cpu(), batch.label.cpu())


def rounded(numbers: Mapping[str, Tensor]) -> dict[str, float]:
    """As they stand in a JSON file."""
    return {name: round(float(value), 4) for name, value in numbers.items()}


def pose_metric(model: PoseCorrector) -> CornerError | None:
    """The finest measure of pose error that the families allow; None if they differ."""
    ours, theirs = model.transformation, model.target_transformation
    if type(ours) is not type(theirs) or ours.dim != theirs.dim:
        return None
    canvas = model.facts.canvas
    assert canvas is not None
    if isinstance(ours, Affine):
        return PoseError(canvas, model.facts.size, sync_on_compute=False)
    return CornerError(canvas, ours, sync_on_compute=False)


def plot_diffusion(
    model: Any, batch: Any, folder: Path, generator: torch.Generator
) -> list[Figure]:
    """The walk from random poses: the poses x_t themselves as a GIF, the estimates as a strip."""
    shape = (len(batch.label), 1, model.transformation.dim)
    latents = torch.randn(shape, generator=generator).to(batch.image.device)
    steps, frames, estimates, readings = [], [], [], []
    finer = replace(model.sampler, steps=min(STEPS_SHOWN, model.denoiser.process.steps))
    walk = model.reverse_process(batch.image, latents, generator, finer)
    for t, *relative in walk:
        now, foreseen = (
            model.warp(batch.image, model.from_frame(batch.image, pose)) for pose in relative
        )
        steps.append(t)
        frames.append(now[:, 0].float())
        estimates.append(foreseen[:, 0].float())
        readings.append(model.judge(now)[:, 0].argmax(dim=-1))
    turning = animation_gif(
        torch.stack(frames),
        folder / "turning.gif",
        symbol="xₜ",
        labels=batch.label,
        predictions=torch.stack(readings),
        frame_ms=100,
    )
    strip = reverse_strip(
        torch.stack(estimates)[:, :: max(1, len(batch.label) // 10)],
        folder / "reverse_process.png",
        timesteps=torch.tensor(steps),
        columns=11,
    )
    figures = [("turning", turning), ("reverse_process", strip)]
    if isinstance(model.transformation, Affine) and model.fixed_hypotheses is None:
        figures.append(("hypotheses", plot_hypotheses(model, batch, folder, generator)))
    return figures


def plot_hypotheses(model: Any, batch: Any, folder: Path, generator: torch.Generator) -> Path:
    """The first image of every class, its corrections and the rotations that were sampled."""
    labels = batch.label
    first = torch.stack([(labels == c).nonzero()[0, 0] for c in labels.unique()])
    image, A = batch.image[first], batch.A[first]
    many = model(image, hypotheses=ANGLES_SHOWN, generator=generator)
    shown = slice(0, HYPOTHESES_SHOWN)
    confidence, reading = many.probabilities[:, shown].max(dim=-1)
    return hypotheses_page(
        image,
        many.images[:, shown],
        confidence,
        decompose(as_matrix(many.A[:, :ANGLES_SHOWN])).rotation,
        decompose(as_matrix(A)).rotation,
        folder / "hypotheses.png",
        predictions=reading,
    )
