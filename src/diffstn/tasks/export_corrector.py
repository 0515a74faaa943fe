"""A corrector as a file that runs without diffstn and without torch."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.build import load_model
from diffstn.errors import UserError
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.words import typed

HELP = """diffstn export [run=RUN] [out=FILE.onnx] [format=onnx] [hypotheses=K] [trust=[NAME]]

Writes a corrector as an ONNX file, for onnxruntime and its like: images (B, C, H, W), floats in
[0, 1] of the model's size, go in; the upright images, the poses A (B, 6 if affine), the
probabilities (B, classes) and the confidence (B,) come out. B is free. Of several hypotheses the
one is taken that `correct` would take; their starting points are then a second input, latents
(B, K, L), drawn from N(0, 1) but for those of the first, which `correct` has at 0: those of its
seed 0 are model.sample_latents(1, K, torch.Generator().manual_seed(0)), the same for all images.
Names of the classes and sizes are in the file's metadata.

  run         folder of a run that corrects, or pretrained/diff_in_stn_full (default)
  out         the file (default: corrector.onnx)
  format      onnx
  hypotheses  poses for each image (default: 1)
  trust       packages of your own whose classes the run may ask for, [NAME,NAME]

Needs: onnx, onnxscript and onnxruntime, the extra [onnx]
"""
DEFAULTS: dict[str, Any] = {
    "run": "pretrained/diff_in_stn_full",
    "out": "corrector.onnx",
    "format": "onnx",
    "hypotheses": 1,
    "trust": [],
}
TOLERANCE = 1e-4
"""Of what onnxruntime answers to what torch answers."""
OPSET = 20
"""The first in which images are read bicubically as torch does."""


class Exported(nn.Module):
    """Images and latents in, what `correct` answers out, with no Python left to choose."""

    def __init__(self, model: PoseCorrector, latents: Tensor | None) -> None:
        super().__init__()
        self.model, self.latents = model, latents

    def forward(self, images: Tensor, latents: Tensor | None = None) -> tuple[Tensor, ...]:
        if latents is None:
            assert self.latents is not None
            latents = self.latents.expand(images.shape[0], -1, -1)
        found = self.model(images, latents=latents)
        chosen = self.model.representative(found)
        rows = torch.arange(images.shape[0], device=images.device)
        probabilities = self.model.combine(found)
        confidence = self.model.confidence(found, probabilities)
        return found.images[rows, chosen], found.A[rows, chosen], probabilities, confidence


def export_corrector(words: Sequence[str]) -> list[str]:
    """Write what the words ask for; return what was written, in words.

    Raises:
        UserError: bad input, the place is taken, a package is missing, or the model does something
            that such a file cannot.
    """
    settings, others = typed(words, DEFAULTS)
    if others:
        raise UserError(f"'{others[0]}': write run={others[0]}")
    if settings["format"] != "onnx":
        raise UserError(f"format={settings['format']}: there is onnx")
    out = Path(settings["out"])
    if out.suffix != ".onnx":
        raise UserError(f"out={out}: the name of a file that ends in .onnx")
    if out.exists():
        raise UserError(f"{out} is there: choose another out=")
    model: Any = load_model(settings["run"], trust=settings["trust"])
    if not isinstance(model, PoseCorrector):
        raise UserError(f"run={settings['run']} finds no poses; use a run of model=diff_in_stn")
    if getattr(getattr(model, "sampler", None), "stochastic", False):
        raise UserError("its sampler draws noise on the way, which such a file cannot")
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"{error.name} is missing: pip install onnx onnxscript onnxruntime"
        ) from None
    k = model.fixed_hypotheses or settings["hypotheses"]
    out.parent.mkdir(parents=True, exist_ok=True)
    written = exported(model, k)
    off = furthest(model, written, k, onnxruntime)
    if off > TOLERANCE:
        raise UserError(f"onnxruntime answers otherwise, by {off:.1g}: {out} was not written")
    out.write_bytes(written)
    size = len(written) / 2**20
    poses = f"{k} hypothes{'i' if k == 1 else 'e'}s"
    return [f"{out}, {size:.1f} MiB, {poses}; onnxruntime is within {off:.0e} of torch"]


def example(model: PoseCorrector, k: int, images: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """Images as smooth as digits, their latents, and those that are the same for any image, if they
    are.
    """
    height, width = model.facts.canvas or model.size
    generator = torch.Generator().manual_seed(0)
    shape = (images, model.facts.channels or 1, height, width)
    coarse = torch.rand(*shape[:2], max(4, height // 4), max(4, width // 4), generator=generator)
    coarse[..., [0, -1], :] = coarse[..., :, [0, -1]] = 0
    x = F.interpolate(coarse, shape[2:], mode="bilinear", align_corners=False)
    latents = model.sample_latents(images, k, generator)
    return x, latents, None if latents.any() else latents[:1]


def exported(model: PoseCorrector, k: int) -> bytes:
    """The model with so many hypotheses, in ONNX.

    Raises:
        UserError: it does something that ONNX cannot say.
    """
    images, latents, same = example(model, k, 3)
    given = (images,) if same is not None else (images, latents)
    module = Exported(model.eval().cpu(), same)
    batch = torch.export.Dim("batch", min=1)
    names = ("images", "latents")[: len(given)]
    answers = ("upright", "A", "probabilities", "confidence")
    with quiet(), torch.no_grad():
        module(*given)  # timesteps are counted now, not in the file
        try:
            program: Any = torch.onnx.export(
                module,
                given,
                dynamo=True,
                opset_version=OPSET,
                input_names=list(names),
                output_names=list(answers),
                dynamic_shapes=tuple({0: batch} for _ in given),
            )
        except Exception as error:  # whatever of the model the exporter cannot say
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise UserError(f"ONNX cannot say what this model does ({reason[:200]})") from error
    proto = program.model_proto
    facts = model.facts
    known = {
        "classes": json.dumps(list(facts.classes)),
        "canvas": json.dumps(list(facts.canvas or model.size)),
        "transformation": type(model.transformation).__name__,
        "hypotheses": str(k),
    }
    for name, value in known.items():
        proto.metadata_props.add(key=name, value=value)
    return proto.SerializeToString()


def furthest(model: PoseCorrector, written: bytes, k: int, onnxruntime: Any) -> float:
    """How far onnxruntime's answers are from torch's at most, on other images than the example."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(written, options)
    images, latents, same = example(model, k, 5)
    told = {"images": images.numpy()}
    if same is None:
        told["latents"] = latents.numpy()
    with torch.no_grad():
        expected = Exported(model, None)(images, latents)
    found = session.run(None, told)
    return max(
        float((one - torch.from_numpy(other)).abs().max())
        for one, other in zip(expected, found, strict=True)
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the exporter's diary."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
