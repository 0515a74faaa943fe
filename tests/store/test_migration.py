"""Run folders of version 0.1 load as they are."""

import copy
from typing import Any

import pytest
import torch
import yaml

from diffstn.build import build_model, load_model
from diffstn.data.facts import Facts
from diffstn.runs.settings import TrainSettings
from diffstn.schema import check_config
from diffstn.spatial import Affine
from diffstn.store.migration import migrated
from diffstn.store.run_folder import PRETRAINED, open_run

OLD = yaml.safe_load(
    """
frame: moments
seed: 3
epochs: 2
ema_decay: 0.998
out: null
resume: false
debug: false
on_error: continue
validate_every: 1
evaluate: {hypotheses: [1, 4], weights: ema, checkpoint: best, limit: null, samples: 7,
  distance: emd, features: null, inception_weights: null, likelihood: 0, track: 5}
data:
  _target_: diffstn.data.distorted.DistortedData
  pictures: {_target_: diffstn.data.mnist.MNIST, root: null}
  root: null
  batch_size: 50
  distortion: {_target_: diffstn.data.distortions.AffineDistortion, rotation: 45.0}
encoder: {_target_: diffstn.networks.conv_encoder.ConvEncoder, features: 16}
classifier:
  mode: joint
  encoder: {_target_: diffstn.networks.lenet_encoder.LeNetEncoder, features: 50}
network: {_target_: diffstn.networks.pose_denoiser.PoseDenoiser, width: 8, blocks: 1}
schedule: {_target_: diffstn.diffusion.schedules.Cosine, steps: 20}
sampler: {_target_: diffstn.diffusion.samplers.DDPM, steps: 5, spacing: trailing, clip: 1.0,
  clip_quantile: null, hypotheses: 2, combine: mean}
optimizer: {_target_: torch.optim.AdamW, lr: 0.002}
lr_scheduler: {_target_: diffstn.models.lr_schedules.one_cycle, warmup: 0.15}
accelerator: {name: cpu, devices: 1, precision: fp32}
model: {_target_: MODEL}
logger: {name: csv}
choices: {model: some, data: affine_mnist}
"""
)
POSES = Facts("distorted", tuple("0123456789"), 1, (28, 28), (28, 28), transformation=Affine())
IMAGES = Facts("upright", tuple("0123456789"), 1, (28, 28), (28, 28))
UPRIGHT = {
    "_target_": "diffstn.data.upright.UprightData",
    "pictures": {"_target_": "diffstn.data.mnist.MNIST", "root": None},
    "root": None,
}
UNET = {"_target_": "diffstn.networks.unet.UNet", "width": 8, "blocks": 1}


def old(
    name: str, data: Any = None, model: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    config = copy.deepcopy(OLD)
    config["model"] = {"_target_": f"diffstn.models.{name}", **(model or {})}
    config["data"] = data or config["data"]
    return {**config, **changes}


@pytest.mark.parametrize(
    ("config", "facts", "has", "lacks"),
    [
        (
            old("diff_in_stn.DiffInSTN", model={"timesteps": 3}),
            POSES,
            {"model.noise_levels": 3, "model.hypotheses": 2, "task.hypotheses": [1, 4]},
            ["codec", "model.clip"],
        ),
        (old("pose_regression.PoseRegression"), POSES, {"frame": "moments"}, ["schedule"]),
        (old("stn.STN"), POSES, {"model.combine": "mean"}, ["network", "sampler", "schedule"]),
        (
            old("image_classifier.ImageClassifier", UPRIGHT),
            IMAGES,
            {"task._target_": "diffstn.tasks.classify.Classify"},
            ["network", "classifier"],
        ),
        (
            old("ddpm.DDPM", UPRIGHT, network=UNET, model={"timesteps": "importance"}),
            IMAGES,
            {"model.timestep_sampling": "importance", "model.clip": 1.0, "task.track": 5},
            ["encoder", "classifier", "frame", "task.distance", "sampler.clip"],
        ),
        (
            old(
                "noisy_classifier.NoisyClassifier",
                UPRIGHT,
                network={
                    "_target_": "diffstn.networks.noisy_picture_network.NoisyPictureNetwork",
                    "width": 8,
                },
            ),
            IMAGES,
            {"task._target_": "diffstn.tasks.classify_noisy.ClassifyNoisy"},
            ["encoder", "sampler"],
        ),
    ],
    ids=["diffusion", "regression", "stn", "classifier", "unet", "noisy"],
)
def test_an_old_configuration_holds_what_its_model_uses_and_builds(
    config: dict[str, Any], facts: Facts, has: dict[str, Any], lacks: list[str], tmp_path
):
    new = migrated(config, tmp_path)
    for key, value in has.items():
        assert at(new, key) == value, key
    for key in lacks:
        assert at(new, key) is None, key
    assert (new["trainer"]["accelerator"], new["trainer"]["precision"]) == ("cpu", "fp32")
    check_config(new, TrainSettings)
    build_model(new, facts)
    assert migrated(new, tmp_path) is new  # and no further


def at(config: Any, key: str) -> Any:
    for name in key.split("."):
        config = config.get(name, {}) if isinstance(config, dict) else {}
    return None if config == {} else config


def test_a_judge_kept_beside_an_old_run_is_kept_within(tmp_path):
    judge = old("image_classifier.ImageClassifier", UPRIGHT)
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump(judge))
    frozen = {"mode": "frozen", "run": "somewhere/else"}
    new = migrated(old("stn.STN", classifier=frozen), tmp_path)
    model: Any = build_model(new, POSES)  # the judge's folder is not looked for
    assert not model.trains_classifier


@pytest.mark.parametrize(
    "path", sorted(PRETRAINED.glob("*/config.yaml")), ids=lambda p: p.parent.name
)
def test_what_ships_holds_what_its_model_uses(path):
    stored = yaml.safe_load(path.read_text())
    assert "task" in stored
    assert migrated(stored, path.parent) is stored
    check_config(stored, TrainSettings)
    run = open_run(f"pretrained/{path.parent.name}")
    assert run.facts is not None
    model = load_model(run)
    assert not model.training
    if path.parent.name == "mnist_unet":
        assert not {"encoder", "classifier", "frame"} & set(stored)
    assert all(torch.isfinite(v).all() for v in model.state_dict().values())


def test_names_of_all_classes_are_no_choice_of_some():
    data = {
        "_target_": "diffstn.data.modules.from_source.upright",
        "images": {"_target_": "diffstn.data.sources.torchvision.TorchvisionImages"},
        "classes": ["a", "b"],
    }
    config = {"task": {}, "checkpoint": {}, "report": True, "data": data}
    now = migrated(config, PRETRAINED)["data"]
    assert now["class_names"] == ["a", "b"]
    assert "classes" not in now
    present = {**config, "data": {**now, "classes": ["b", "a"]}}
    assert migrated(present, PRETRAINED) is present
