from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from diffstn.build import Built
from diffstn.errors import UserError
from diffstn.models.pose_corrector import PoseCorrector

Build = Callable[..., Built]


def diffusion(built: Build, *overrides: str) -> Built:
    """A model whose answers depend on image and latent."""
    parts = built("model=diff_in_stn", "sampler.steps=3", *overrides)
    nn.init.normal_(parts.model.denoiser.network.output.weight, std=0.2)
    return parts


def test_the_batch_size_changes_nothing(built: Build, measure):
    parts = diffusion(built)
    whole = measure(parts, batch_size=250, hypotheses=(1, 4))
    for batch_size in (1, 7, 40):
        part = measure(parts, batch_size=batch_size, hypotheses=(1, 4))
        for k, expected in whole["k"].items():
            assert part["k"][k]["pose"] == pytest.approx(expected["pose"], rel=1e-3, abs=1e-2)
            assert part["k"][k]["accuracy"] == expected["accuracy"]
            assert part["k"][k]["per_class"] == expected["per_class"]
        assert (part["oracle"], part["uncorrected"]) == (whole["oracle"], whole["uncorrected"])
    assert whole["protocol"] == {"split": "test", "images": 40}


def test_validation_images_say_which_calibration_fits_them(built: Build, measure):
    parts = diffusion(built)
    of_test = measure(parts, hypotheses=(1, 4))
    assert "calibration" not in of_test["k"]["4"]
    found = measure(parts, hypotheses=(1, 4), split="val", limit=40)
    assert all(len(one["calibration"]) == 2 for one in found["k"].values())
    beta, gamma = found["k"]["4"]["calibration"]
    said = parts.task.table(found).splitlines()[-1]
    assert said.endswith(f"model.calibration=[{beta},{gamma}] (k = 4)")
    assert "calibration=" not in parts.task.table(of_test)


def test_the_seed_decides_the_latents(built: Build, measure):
    parts = diffusion(built, "model.centre_first=false", "task.hypotheses=1")
    one = measure(parts, seed=1)
    assert measure(parts, seed=1) == one
    assert measure(parts, seed=2)["k"]["1"]["pose"] != one["k"]["1"]["pose"]


def test_a_model_that_knows_the_pose_scores_as_the_oracle(
    built: Build, measure, monkeypatch: pytest.MonkeyPatch
):
    parts = built("model=pose_regression", "data/distortion=rts")
    true = parts.data.batch("test", torch.arange(40)).A
    monkeypatch.setattr(
        PoseCorrector, "poses", lambda self, image, latents, generator=None: true[:, None]
    )
    result = measure(parts, batch_size=40)
    assert result["accuracy"] == result["oracle"]
    assert result["k"]["1"]["pose"] == pytest.approx(
        dict.fromkeys(result["k"]["1"]["pose"], 0.0), abs=0.05
    )


def test_a_model_that_does_nothing_scores_as_uncorrected(built: Build, measure):
    result = measure(built("model=stn"))
    assert result["accuracy"] == result["uncorrected"]
    assert result["numbers"] == {
        "accuracy k=1": result["accuracy"],
        "uncorrected": result["uncorrected"],
        "oracle": result["oracle"],
    }


def test_models_without_a_choice_are_evaluated_with_their_own_number(built: Build, measure):
    three = measure(built("model=stn", "model.parallel=3"), hypotheses=(1, 16))
    assert set(three["k"]) == {"3"}
    assert set(measure(built("model=pose_regression"), hypotheses=(1, 16))["k"]) == {"1"}


@pytest.mark.parametrize(
    ("model", "data", "names"),
    [
        ("pose_regression", "paper", {"rotation_deg", "corner_px"}),
        ("pose_regression", "elastic", {"corner"}),
        ("stn", "projective", set()),
    ],
)
def test_pose_errors_are_as_fine_as_the_families_allow(
    built: Build, measure, model: str, data: str, names: set[str]
):
    found = measure(built(f"model={model}", f"data/distortion={data}"), limit=5)
    pose = found["k"]["1"]["pose"]
    assert names <= set(pose)
    assert bool(names) == bool(pose)
    assert found["images"] == 5


def test_what_it_plots_says_how_the_poses_came_about(built: Build, tmp_path: Path):
    parts = diffusion(built, "task.per_class=1")
    parts.data.setup()
    with torch.inference_mode():
        found = dict(parts.task.plot(parts.model.eval(), parts.data, tmp_path))
    assert {name: path.name for name, path in found.items()} == {
        "corrected": "corrected.png",
        "turning": "turning.gif",
        "reverse_process": "reverse_process.png",
        "hypotheses": "hypotheses.png",
        "confidence": "confidence.png",
        "failures": "failures.png",
    }
    with Image.open(found["turning"]) as moving:
        assert moving.n_frames == 41  # from x_T to x_0 in 40 steps


def test_corrected_images_can_be_kept(built: Build):
    parts = diffusion(built)
    parts.data.setup()
    kept = parts.task.to_keep(parts.model.eval(), parts.data, 3)
    batch = parts.data.batch("test", torch.arange(3))
    assert torch.equal(kept.labels, batch.label)
    expected = parts.model.correct(batch.image)
    assert torch.equal(kept.items, expected.images)
    assert len(parts.task.to_keep(parts.model, parts.data, 1000).labels) == 40


def test_what_does_not_correct_is_refused(built: Build):
    classifier = built("model=classifier", "data=mnist", tiny=False)
    task = built("model=stn").task
    with pytest.raises(UserError, match="task=correct is none for ImageClassifier: it asks for"):
        task.check(classifier.model, classifier.data)
