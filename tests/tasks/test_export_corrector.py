"""`diffstn export`: onnxruntime answers as torch does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from diffstn.build import Built
from diffstn.cli.of_folders import folders_command
from diffstn.errors import UserError
from diffstn.tasks import export_corrector
from diffstn.tasks.export_corrector import export_corrector as export
from diffstn.tasks.export_corrector import exported

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
Build = Callable[..., Built]


def lively(built: Build, *words: str) -> Built:
    """A tiny corrector whose poses are not all the same."""
    parts = built(*words)
    for name, weight in parts.model.named_parameters():
        if name.endswith("weight") and not weight.any():
            nn.init.normal_(weight, std=0.1)
    parts.model.eval()
    return parts


def check_answers(written: bytes, parts: Built, k: int) -> None:
    """onnxruntime answers as `correct` does, for one image and for several."""
    model: Any = parts.model
    session = onnxruntime.InferenceSession(written)
    for n in (1, 6):
        images = parts.data.batch("test", torch.arange(n)).image
        told = {"images": images.numpy()}
        if k > 1:
            latents = model.sample_latents(1, k, torch.Generator().manual_seed(0))
            told["latents"] = latents.expand(n, -1, -1).numpy()
        upright, A, probabilities, confidence = map(torch.from_numpy, session.run(None, told))
        expected = model.correct(images, k, seed=0)
        torch.testing.assert_close(A, expected.A, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(upright, expected.images, atol=1e-3, rtol=0)
        torch.testing.assert_close(probabilities, expected.probabilities, atol=1e-4, rtol=0)
        torch.testing.assert_close(confidence, expected.confidence, atol=1e-4, rtol=0)
    known = session.get_modelmeta().custom_metadata_map
    assert json.loads(known["classes"]) == [str(i) for i in range(10)]
    assert json.loads(known["canvas"]) == [28, 28]
    assert known["hypotheses"] == str(k)


def test_the_file_answers_as_the_model_does_and_is_checked_first(
    built: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    parts = lively(built, "model=diff_in_stn", "sampler.steps=1", "network.blocks=1")
    monkeypatch.setattr(export_corrector, "load_model", lambda run, trust: parts.model)
    out = tmp_path / "a" / "tiny.onnx"
    [said] = export([f"out={out}", "hypotheses=3"])
    assert "3 hypotheses; onnxruntime is within" in said
    check_answers(out.read_bytes(), parts, 3)
    monkeypatch.setattr(export_corrector, "exported", lambda model, k: out.read_bytes())
    monkeypatch.setattr(export_corrector, "furthest", lambda *told: 0.5)
    with pytest.raises(UserError, match=r"answers otherwise, by 0\.5"):
        export([f"out={tmp_path}/b.onnx", "hypotheses=3"])
    assert not (tmp_path / "b.onnx").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("model=diff_in_stn", "data/distortion=full", "encoder=polar", "sampler.steps=2"),
        ("model=stn", "model.transformation=projective"),
        ("model=diff_in_stn", "frame=canvas", "sampler.steps=1", "model.as_is=2"),
        ("model=pose_regression", "model.calibration=[0.5,0.7]"),
    ],
)
def test_other_correctors_answer_as_well(built: Build, words: tuple[str, ...]):
    parts = lively(built, *words)
    check_answers(exported(parts.model, 1), parts, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["runs/mine"], "write run=runs/mine"),
        (["format=coreml"], "format=coreml: there is onnx"),
        (["out=corrector"], "ends in .onnx"),
        (["out={taken}"], "is there: choose another out="),
        (["hypotheses=0"], "hypotheses=0: must be a whole number"),
        (["rum=x"], "no setting 'rum'; did you mean run?"),
        (["run=nowhere"], "nowhere: no run there"),
        (["run=pretrained/judge"], "finds no poses"),
    ],
)
def test_bad_input_gets_one_line(
    words: list[str],
    message: str,
    workplace: Path,
    capsys: pytest.CaptureFixture[str],
):
    taken = workplace / "taken.onnx"
    taken.write_bytes(b"")
    assert folders_command("export", [word.format(taken=taken) for word in words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(workplace.glob("*.onnx")) == [taken]


def test_a_sampler_that_draws_noise_is_refused(built: Build, monkeypatch: pytest.MonkeyPatch):
    model = built("model=diff_in_stn", "sampler.eta=1", "sampler.steps=2").model
    monkeypatch.setattr(export_corrector, "load_model", lambda run, trust: model)
    with pytest.raises(UserError, match="draws noise on the way"):
        export([])
