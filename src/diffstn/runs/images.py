"""The images that show what a run does."""

from pathlib import Path
from typing import Any

import torch

from diffstn.build.hardware import Hardware
from diffstn.codecs.pixels import as_images
from diffstn.figures.animation import digits_turning_gif
from diffstn.figures.curves import training_curves
from diffstn.figures.hypotheses import hypotheses_page
from diffstn.figures.pages import correction_page
from diffstn.figures.reverse_strip import reverse_strip
from diffstn.models.diff_in_stn import DiffInSTN
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.models.stn_in_diff import STNInDiff
from diffstn.runs.assembly import Assembly
from diffstn.runs.generated_clouds import draw_clouds
from diffstn.runs.generated_images import draw_images
from diffstn.runs.sampling_steps import finely_stepped
from diffstn.spatial import Affine, as_matrix, decompose

CORRECTED, GENERATED = 4, 8
"""Images per class, unless asked for others."""
HYPOTHESES_DRAWN = 8
ANGLES_DRAWN = 200


def draw_run(
    assembly: Assembly,
    hardware: Hardware,
    folder: Path,
    metrics_csv: Path | None = None,
    per_class: int | None = None,
    seed: int = 0,
) -> list[tuple[str, Path]]:
    """Draw everything there is to draw of a run into `folder`; return names and paths.

    Training curves for any model that has a `metrics.csv`; a page of corrections for models that
    correct; for diffusion models also the reverse process as an animation and as a strip, and the
    hypotheses with their rotations. Of generative models, samples beside data.

    Args:
        assembly: of the run.
        hardware: that draws.
        folder: where the files go.
        metrics_csv: of the training, if it is at hand.
        per_class: images of a class on a page; None: `CORRECTED` or `GENERATED`.
        seed: of all that is random.
    """
    drawn: list[tuple[str, Path]] = []
    if metrics_csv is not None and metrics_csv.exists():
        drawn.append(("curves", training_curves(metrics_csv, folder / "curves.png")))
    model, data = assembly.model.to(hardware.device).eval(), assembly.data
    if isinstance(model, DiffusionModel):
        with torch.inference_mode(), hardware.autocast():
            if data.kind == "upright":
                return drawn + draw_images(model, data, folder, seed, per_class or GENERATED)
            return drawn + draw_clouds(model, data, folder, seed)
    if not isinstance(model, PoseCorrector | STNInDiff):
        return drawn
    per_class = per_class or CORRECTED
    labels = data.split("test").labels.cpu()
    rows = torch.cat([(labels == c).nonzero()[:per_class, 0] for c in range(len(data.classes))])
    batch = data.batch("test", rows, hardware.device)
    generator = torch.Generator().manual_seed(seed)
    if isinstance(model, STNInDiff):
        with torch.inference_mode(), hardware.autocast():
            return drawn + _draw_redrawing(model, data, batch, folder, per_class, generator)
    with torch.inference_mode(), hardware.autocast():
        correction = model(batch.image, generator=generator)
        predictions = model.combine(correction).argmax(dim=-1)
        page = correction_page(
            batch.image,
            correction.images[:, 0],
            batch.upright,
            batch.label,
            predictions,
            folder / "corrected.png",
            classes=data.classes,
            examples=per_class,
        )
        drawn.append(("corrected", page))
        if isinstance(model, DiffInSTN):
            drawn += _draw_diffusion(model, batch, folder, generator)
    return drawn


def _draw_redrawing(
    model: STNInDiff,
    data: Any,
    batch: Any,
    folder: Path,
    per_class: int,
    generator: torch.Generator,
) -> list[tuple[str, Path]]:
    """A page of redrawn images, and how the first of every class came about."""
    redrawn = model(batch.image, 1, generator=generator)
    page = correction_page(
        batch.image,
        redrawn.images[:, 0],
        batch.upright,
        batch.label,
        redrawn.probabilities[:, 0].argmax(dim=-1),
        folder / "corrected.png",
        classes=data.classes,
        examples=per_class,
    )
    image = batch.image[::per_class][:10]
    x_T = model.draw_latents(len(image), 1, generator)[:, 0].to(image.device)
    steps, estimates = [], []
    with finely_stepped(model.sampler, model.denoiser.schedule.steps):
        walk = model.sampler.trajectory(
            model.denoiser, x_T, generator, None, **model.condition(image)
        )
        for t, _, x_0 in walk:
            steps.append(t)
            estimates.append(as_images(x_0).cpu())
    strip = reverse_strip(
        torch.stack(estimates),
        folder / "reverse_process.png",
        timesteps=torch.tensor(steps),
        columns=11,
    )
    return [("corrected", page), ("reverse_process", strip)]


def _draw_diffusion(
    model: DiffInSTN, batch: Any, folder: Path, generator: torch.Generator
) -> list[tuple[str, Path]]:
    """The walk from random poses: the poses x_t themselves as a GIF, the estimates as a strip."""
    shape = (len(batch.label), 1, model.transformation.dim)
    latents = torch.randn(shape, generator=generator).to(batch.image.device)
    steps, frames, estimates, readings = [], [], [], []
    with finely_stepped(model.sampler, model.denoiser.schedule.steps):
        for t, *relative in model.reverse_process(batch.image, latents, generator):
            now, foreseen = (
                model.warp(batch.image, model.from_frame(batch.image, pose)) for pose in relative
            )
            steps.append(t)
            frames.append(now[:, 0].float())
            estimates.append(foreseen[:, 0].float())
            readings.append(model.judge(now)[:, 0].argmax(dim=-1))
    turning = digits_turning_gif(
        torch.stack(frames),
        folder / "turning.gif",
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
    drawn = [("turning", turning), ("reverse_process", strip)]
    if isinstance(model.transformation, Affine):
        drawn.append(("hypotheses", _draw_hypotheses(model, batch, folder, generator)))
    return drawn


def _draw_hypotheses(
    model: DiffInSTN, batch: Any, folder: Path, generator: torch.Generator
) -> Path:
    """The first image of every class, its corrections and the rotations that were sampled."""
    labels = batch.label
    first = torch.stack([(labels == c).nonzero()[0, 0] for c in labels.unique()])
    image, A = batch.image[first], batch.A[first]
    many = model(image, hypotheses=ANGLES_DRAWN, generator=generator)
    shown = slice(0, HYPOTHESES_DRAWN)
    confidence, reading = many.probabilities[:, shown].max(dim=-1)
    return hypotheses_page(
        image,
        many.images[:, shown],
        confidence,
        decompose(as_matrix(many.A)).rotation,
        decompose(as_matrix(A)).rotation,
        folder / "hypotheses.png",
        predictions=reading,
    )
