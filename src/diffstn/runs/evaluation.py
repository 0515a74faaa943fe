"""The numbers of a model on a split."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from tqdm import tqdm

from diffstn.build.hardware import Hardware
from diffstn.diffusion import gaussian_noise
from diffstn.metrics import ClassAccuracy, CornerError, ImageError, PoseError
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.models.image_classifier import ImageClassifier
from diffstn.models.noisy_classifier import NoisyClassifier
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.models.stn_in_diff import STNInDiff
from diffstn.runs.feature_choice import choose_features
from diffstn.runs.generation import cloud_generation, point_generation
from diffstn.runs.image_generation import bits_per_dimension, image_generation
from diffstn.spatial import Affine, warp


@torch.inference_mode()
def evaluate(
    model: PoseCorrector | STNInDiff | ImageClassifier | NoisyClassifier | DiffusionModel,
    data: Any,
    hardware: Hardware,
    split: str = "test",
    hypotheses: Sequence[int] = (1,),
    seed: int = 0,
    limit: int | None = None,
    batch_size: int | None = None,
    samples: int | None = None,
    distance: str = "chamfer",
    features: str | None = None,
    inception_weights: str | None = None,
    likelihood: int = 0,
) -> dict[str, Any]:
    """Accuracy, per-class accuracy and, for models of poses, pose errors and what bounds them.

    For generative models see `diffstn.runs.generation` and `diffstn.runs.image_generation`;
    `samples` says how many to draw (None: as many as the split has), `distance` how to compare
    clouds, `features` and `inception_weights` through what to look at images, and `likelihood`
    of how many images to bound it. `hypotheses` and `limit` are for models that answer images.

    Args:
        hypotheses: how many poses per image to combine; one evaluation each. The first k of the
            same hypotheses serve every k. A model that leaves no choice is evaluated with its own
            number alone.
        seed: of the latents, which are drawn for the whole split at once, so that the batch size
            does not change what a deterministic sampler answers.
        limit: only the first so many images.

    Returns:
        `{"accuracy": …, "per_class": {…}, "k": {k: {…}}, "uncorrected": …, "oracle": …,
        "seconds": …, "images": …}`; accuracies in percent. The top-level accuracy is that of the
        first k. `uncorrected` shows the classifier the distorted images as they are (resized to
        its input), `oracle` the images corrected with the true A by the model's own kernel.
    """
    start = time.perf_counter()
    device = hardware.device
    model = model.to(device).eval()
    total = len(data.split(split).labels)
    if isinstance(model, DiffusionModel):
        count = samples or total
        with hardware.autocast():
            if data.kind == "points":
                result = point_generation(model, data, count, seed)
            elif data.kind == "upright":
                size = batch_size or 250
                seen = choose_features(features, data, inception_weights)
                result = image_generation(model, data, seen, count, seed, size)
                if likelihood:
                    bound = bits_per_dimension(model, data, split, likelihood, seed, size)
                    bounded = f"{min(likelihood, total)} of {split}"
                    result["likelihood"] = {"images": bounded, **bound}
                    result["numbers"]["bits/dim"] = bound["bits/dim"]
            else:
                result = cloud_generation(
                    model, data, split, count, seed, batch_size or 64, distance
                )
        return {**result, "seconds": round(time.perf_counter() - start, 1)}
    total = min(total, limit or total)

    def batches() -> Iterator[tuple[slice, Any]]:
        with tqdm(total=total, desc=f"evaluating {split}", unit="image", disable=None) as bar:
            for rows in torch.arange(total).split(batch_size or 250):
                yield slice(int(rows[0]), int(rows[-1]) + 1), data.batch(split, rows, device)
                bar.update(len(rows))

    with hardware.autocast():
        if isinstance(model, NoisyClassifier):
            result = _noisy_classification(model, data, batches(), seed)
        elif isinstance(model, ImageClassifier):
            result = _classification(model, data, batches())
        elif isinstance(model, STNInDiff):
            result = _redrawing(model, data, batches(), total, sorted(set(hypotheses)), seed)
        else:
            counts = [model.fixed_hypotheses] if model.fixed_hypotheses else sorted(set(hypotheses))
            result = _correction(model, data, batches(), total, counts, seed)
    return {**result, "images": total, "seconds": round(time.perf_counter() - start, 1)}


def _percentages(accuracy: ClassAccuracy) -> dict[str, Any]:
    confusion = accuracy.confusion.double()
    return {
        "accuracy": round(float(100 * confusion.diagonal().sum() / confusion.sum()), 2),
        "per_class": {
            name: round(100 * float(share), 2)
            for name, share in accuracy.compute().items()
            if not share.isnan()  # a class that the split does not show
        },
    }


def _classification(
    model: ImageClassifier, data: Any, batches: Iterable[tuple[slice, Any]]
) -> dict[str, Any]:
    accuracy = ClassAccuracy(data.classes)
    for _, batch in batches:
        accuracy.update(model(batch.image).cpu(), batch.label.cpu())
    return _percentages(accuracy)


def _noisy_classification(
    model: NoisyClassifier, data: Any, batches: Iterable[tuple[slice, Any]], seed: int
) -> dict[str, Any]:
    """Accuracy over all noise levels, and at five of them."""
    generator = torch.Generator().manual_seed(seed)
    T = model.schedule.steps
    levels = {f"t = {t}": t for t in (1, T // 4, T // 2, 3 * T // 4, T)}
    accuracy = {name: ClassAccuracy(data.classes) for name in ("all", *levels)}
    for _, batch in batches:
        label, x_0 = batch.label.cpu(), batch.x_0
        accuracy["all"].update(model.noisy(x_0, generator).cpu(), label)
        for name, level in levels.items():
            t = torch.full(label.shape, level, device=x_0.device)
            x_t = model.schedule.add_noise(x_0, t, gaussian_noise(x_0, generator))
            accuracy[name].update(model(x_t, t).cpu(), label)
    return {
        **_percentages(accuracy["all"]),
        "by_noise": {name: _percentages(accuracy[name])["accuracy"] for name in levels},
    }


def _redrawing(
    model: STNInDiff,
    data: Any,
    batches: Iterable[tuple[slice, Any]],
    total: int,
    counts: Sequence[int],
    seed: int,
) -> dict[str, Any]:
    """As for models of poses, with the error of the images instead of that of the poses.

    Of several drawings the classifier's opinions are averaged, and so are the images.
    """
    generator = torch.Generator().manual_seed(seed)
    latents = model.draw_latents(total, counts[-1], generator)
    names = ("uncorrected", "oracle", *counts)
    accuracy = {name: ClassAccuracy(data.classes) for name in names}
    errors = {name: ImageError() for name in names}
    for rows, batch in batches:
        label = batch.label.cpu()
        redrawn = model(batch.image, latents=latents[rows], generator=generator)
        identity = Affine().identity().to(batch.image).expand(len(label), -1)
        shown = {
            "uncorrected": warp(batch.image, identity, size=data.size),
            "oracle": warp(batch.image, batch.A, data.transformation, data.size),
        }
        for name, images in shown.items():
            accuracy[name].update(model.judge(images).cpu(), label)
            errors[name].update(images, batch.upright)
        for k in counts:
            accuracy[k].update(redrawn.probabilities[:, :k].mean(dim=1).cpu(), label)
            errors[k].update(redrawn.images[:, :k].mean(dim=1), batch.upright)
    by_name = {
        str(name): {**_percentages(accuracy[name]), "image": errors[name].rounded()}
        for name in names
    }
    return {
        "accuracy": by_name[str(counts[0])]["accuracy"],
        "uncorrected": by_name["uncorrected"]["accuracy"],
        "oracle": by_name["oracle"]["accuracy"],
        "images_as_is": {name: by_name[name]["image"] for name in ("uncorrected", "oracle")},
        "k": {str(k): by_name[str(k)] for k in counts},
    }


def pose_metric(model: PoseCorrector, data: Any) -> CornerError | None:
    """The finest measure of pose error that model and data allow; None if their families differ."""
    ours, theirs = model.transformation, data.transformation
    if type(ours) is not type(theirs) or ours.dim != theirs.dim:
        return None
    if isinstance(model.transformation, Affine):
        return PoseError(data.canvas, data.size)
    return CornerError(data.canvas, model.transformation)


def _correction(
    model: PoseCorrector,
    data: Any,
    batches: Iterable[tuple[slice, Any]],
    total: int,
    counts: Sequence[int],
    seed: int,
) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    latents = model.draw_latents(total, counts[-1], generator)
    accuracy = {k: ClassAccuracy(data.classes) for k in counts}
    errors = {k: pose_metric(model, data) for k in counts}
    uncorrected, oracle = ClassAccuracy(data.classes), ClassAccuracy(data.classes)
    for rows, batch in batches:
        label = batch.label.cpu()
        correction = model(batch.image, latents=latents[rows], generator=generator)
        for k in counts:
            accuracy[k].update(model.combine(correction, k).cpu(), label)
            if (error := errors[k]) is not None:
                chosen = model.representative(correction, k)
                error.update(correction.A[range(len(label)), chosen].cpu(), batch.A.cpu())
        identity = model.transformation.identity().to(batch.image.device)
        as_is = model.warp(batch.image, identity.expand(len(label), 1, -1))
        uncorrected.update(model.judge(as_is)[:, 0].cpu(), label)
        true = model.warp_by(data.transformation, batch.image, batch.A)
        oracle.update(model.judge(true[:, None])[:, 0].cpu(), label)
    by_count = {
        k: {
            **_percentages(accuracy[k]),
            "pose": {name: round(float(v), 4) for name, v in error.compute().items()}
            if (error := errors[k]) is not None
            else {},
        }
        for k in counts
    }
    return {
        "accuracy": by_count[counts[0]]["accuracy"],
        "uncorrected": _percentages(uncorrected)["accuracy"],
        "oracle": _percentages(oracle)["accuracy"],
        "k": {str(k): numbers for k, numbers in by_count.items()},
    }
