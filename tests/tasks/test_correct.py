from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from diffstn.runs.assembly import Assembly
from diffstn.runs.evaluation import evaluate
from torch import nn

from diffstn.hardware import choose_hardware
from diffstn.models.pose_corrector import PoseCorrector

Build = Callable[..., Assembly]
CPU = choose_hardware("cpu", precision="fp32")


def numbers(parts: Assembly, batch_size: int = 250, k: Sequence[int] = (1,), **more: Any) -> Any:
    result = evaluate(parts.model, parts.data, CPU, hypotheses=k, batch_size=batch_size, **more)
    return {name: value for name, value in result.items() if name != "seconds"}


def diffusion(assembly: Build, *overrides: str) -> Assembly:
    """A model whose answers depend on image and latent."""
    parts = assembly("model=diff_in_stn", "sampler.steps=3", *overrides)
    nn.init.normal_(parts.model.denoiser.network.output.weight, std=0.2)
    return parts


def test_the_batch_size_changes_nothing(assembly: Build):
    parts = diffusion(assembly)
    whole = numbers(parts, 250, k=(1, 4))
    for batch_size in (1, 7, 40):
        part = numbers(parts, batch_size, k=(1, 4))
        for k, expected in whole["k"].items():
            assert part["k"][k]["pose"] == pytest.approx(expected["pose"], rel=1e-3, abs=1e-2)
            assert part["k"][k]["accuracy"] == expected["accuracy"]
            assert part["k"][k]["per_class"] == expected["per_class"]
        assert (part["oracle"], part["uncorrected"]) == (whole["oracle"], whole["uncorrected"])


def test_the_seed_draws_the_latents(assembly: Build):
    parts = diffusion(assembly, "model.centre_first=false")
    assert numbers(parts, seed=1) == numbers(parts, seed=1)
    assert numbers(parts, seed=1)["k"]["1"]["pose"] != numbers(parts, seed=2)["k"]["1"]["pose"]


def test_a_model_that_knows_the_pose_scores_as_the_oracle(
    assembly: Build, monkeypatch: pytest.MonkeyPatch
):
    parts = assembly("model=pose_regression", "data/distortion=rts")
    true = parts.data.batch("test", torch.arange(40)).A
    monkeypatch.setattr(
        PoseCorrector, "poses", lambda self, image, latents, generator=None: true[:, None]
    )
    result = numbers(parts, 40)
    assert result["accuracy"] == result["oracle"]
    assert result["k"]["1"]["pose"] == pytest.approx(
        dict.fromkeys(result["k"]["1"]["pose"], 0.0), abs=0.05
    )


def test_a_model_that_does_nothing_scores_as_uncorrected(assembly: Build):
    result = numbers(assembly("model=stn"))
    assert result["accuracy"] == result["uncorrected"]


def test_models_without_a_choice_are_evaluated_with_their_own_number(assembly: Build):
    assert set(numbers(assembly("model=stn", "model.parallel=3"), k=(1, 16))["k"]) == {"3"}
    assert set(numbers(assembly("model=pose_regression"), k=(1, 16))["k"]) == {"1"}


def test_only_the_first_images(assembly: Build):
    parts = assembly("model=classifier")
    assert numbers(parts)["images"] == 40
    assert numbers(parts, limit=12)["images"] == 12
    assert numbers(parts, limit=1000)["images"] == 40


def test_a_classifiers_accuracy_is_that_of_its_answers(assembly: Build):
    parts = assembly("model=classifier", "data=mnist")
    batch = parts.data.batch("test", torch.arange(40))
    with torch.no_grad():
        right = parts.model.eval()(batch.image).argmax(-1) == batch.label
    result = numbers(parts, 9)
    assert result["accuracy"] == pytest.approx(100 * right.double().mean().item(), abs=0.01)
    assert set(result["per_class"]) == {str(int(label)) for label in batch.label.unique()}


@pytest.mark.parametrize(
    ("model", "data", "names"),
    [
        ("pose_regression", "paper", {"rotation_deg", "corner_px"}),
        ("pose_regression", "elastic", {"corner"}),
        ("stn", "projective", set()),
    ],
)
def test_pose_errors_are_as_fine_as_the_families_allow(
    assembly: Build, model: str, data: str, names: set[str]
):
    pose = numbers(assembly(f"model={model}", f"data/distortion={data}"))["k"]["1"]["pose"]
    assert names <= set(pose)
    assert bool(names) == bool(pose)
