"""Configurations of older runs, as the present version writes them."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffstn.located import located
from diffstn.signatures import signature
from diffstn.store.bounded import read_yaml

MOVED = {
    "diffstn.diffusion.samplers.DDPM": "diffstn.diffusion.samplers.Ancestral",
    "diffstn.models.ddpm.DDPM": "diffstn.models.diffusion_model.DiffusionModel",
    "diffstn.models.lr_schedules.": "diffstn.optim.lr_schedules.",
    "diffstn.models.muon.": "diffstn.optim.muon.",
    "diffstn.networks.canny_encoder.": "diffstn.networks.encoders.canny.",
    "diffstn.networks.conv_encoder.": "diffstn.networks.encoders.conv.",
    "diffstn.networks.fc_encoder.": "diffstn.networks.encoders.fc.",
    "diffstn.networks.lenet_encoder.": "diffstn.networks.encoders.lenet.",
    "diffstn.networks.localisation_encoder.": "diffstn.networks.encoders.localisation.",
    "diffstn.networks.polar_encoder.": "diffstn.networks.encoders.polar.",
    "diffstn.networks.pool_encoder.": "diffstn.networks.encoders.pool.",
    "diffstn.networks.latent_denoiser.": "diffstn.networks.denoisers.latent.",
    "diffstn.networks.pose_denoiser.": "diffstn.networks.denoisers.pose.",
    "diffstn.networks.point_denoiser.": "diffstn.networks.denoisers.points.",
    "diffstn.networks.deep_sets.": "diffstn.networks.denoisers.deep_sets.",
    "diffstn.networks.set_transformer.": "diffstn.networks.denoisers.set_transformer.",
    "diffstn.networks.unet.": "diffstn.networks.denoisers.unet.",
    "diffstn.networks.noisy_picture_network.NoisyPictureNetwork": (
        "diffstn.networks.classifiers.noisy_image.NoisyImageNetwork"
    ),
    "diffstn.data.mnist.": "diffstn.data.sources.mnist.",
    "diffstn.data.cifar10.": "diffstn.data.sources.cifar10.",
    "diffstn.data.fashion_mnist.": "diffstn.data.sources.fashion_mnist.",
    "diffstn.data.image_folder.": "diffstn.data.sources.image_folder.",
    "diffstn.data.upright.UprightData": "diffstn.data.modules.from_source.upright",
    "diffstn.data.distorted.DistortedData": "diffstn.data.modules.from_source.distorted",
    "diffstn.data.cloud_folder.": "diffstn.data.modules.cloud_folder.",
    "diffstn.data.shape_points.": "diffstn.data.modules.shape_points.",
    "diffstn.data.solids.": "diffstn.data.modules.solids.",
    "diffstn.data.stars.": "diffstn.data.modules.stars.",
}
"""Where classes went; a name that ends in a dot stands for all in that module."""

GROUPS = {
    "DiffInSTN": ("encoder", "network", "schedule", "sampler", "classifier", "frame"),
    "LatentDiffInSTN": ("encoder", "network", "schedule", "sampler", "classifier", "frame"),
    "STNInDiff": ("encoder", "network", "schedule", "sampler", "classifier", "frame", "codec"),
    "PoseRegression": ("encoder", "classifier", "frame"),
    "STN": ("encoder", "classifier", "frame"),
    "ImageClassifier": ("encoder", "frame"),
    "NoisyClassifier": ("network", "schedule", "codec"),
    "DiffusionModel": ("network", "schedule", "sampler", "codec"),
}
"""What of the groups that every run used to have a model makes use of."""

TASKS = {
    "upright": ("generate_images.GenerateImages", "pixels.Pixels"),
    "points": ("generate_points.GeneratePoints", "as_is.AsIs"),
    "clouds": ("generate_clouds.GenerateClouds", "as_is.AsIs"),
}
PURPOSES = {
    "ImageClassifier": "classify.Classify",
    "NoisyClassifier": "classify_noisy.ClassifyNoisy",
    "STNInDiff": "redraw.Redraw",
}
FACTORIES = ("encoder", "network", "optimizer", "lr_scheduler")


def with_defaults(task: dict[str, Any]) -> dict[str, Any]:
    """A task's node with the settings that it did not have when the run was trained."""
    defaults = {f.name: f.default for f in dataclasses.fields(located(task["_target_"]))}
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in defaults.items()}
    return {**plain, **task}


def with_room(model: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """A model's node with room for what words such as `model.NAME=VALUE` set that it did not have
    when the run was trained.
    """
    known = signature(model["_target_"])
    takes = known.parameters if known else {}
    keys = (word.partition("=")[0].partition(".") for word in words)
    new = {name: None for group, _, name in keys if group == "model" and name in takes}
    return {**new, **model}


def migrated(config: dict[str, Any], run: Path) -> dict[str, Any]:
    """The configuration of a run as the present version writes it; a present one as it is.

    Args:
        config: of the run in the folder `run`, which may keep its judge's beside it.
    """
    if "checkpoint" not in config:
        config = {**config, "checkpoint": {"minutes": 10.0}}
    if "report" not in config:
        config = {**config, "report": True}
    config = _class_names(config)
    if "task" in config or "model" not in config or "_target_" not in config["model"]:
        return config
    old = _moved(config)
    old["data"] = _data(old["data"])
    model = dict(old["model"])
    kind = str(model["_target_"]).rsplit(".", 1)[-1]
    general = ("seed", "epochs", "ema_decay", "out", "resume", "debug", "on_error", "choices")
    new: dict[str, Any] = {name: old[name] for name in general if name in old}
    new |= {"validate_every": old.get("validate_every", 1), "compile": False, "ckpt": None}
    new["checkpoint"], new["report"] = old["checkpoint"], old["report"]
    new |= {"trust": [], "logger": {}, "data": old["data"]}
    new["optimizer"], new["lr_scheduler"] = old["optimizer"], old["lr_scheduler"]
    evaluate = dict(old["evaluate"])
    new["evaluate"] = {name: evaluate.pop(name) for name in ("weights", "checkpoint")}
    sampler = dict(old.get("sampler", {}))
    poses = {name: sampler.pop(name) for name in ("hypotheses", "combine") if name in sampler}
    clips = {name: sampler.pop(name) for name in ("clip", "clip_quantile") if name in sampler}
    groups = GROUPS.get(kind, ())
    for name in groups:
        if name in old and name != "classifier":
            new[name] = sampler if name == "sampler" else old[name]
    for name in FACTORIES:
        if name in new:
            new[name] = _partial(new[name])
    if "frame" in groups:
        new["frame"] = old.get("frame", "none")
    if "classifier" in groups:
        new["classifier"] = _classifier(old["classifier"], run)
    if "timesteps" in model:
        counted = isinstance(model["timesteps"], int)
        model["noise_levels" if counted else "timestep_sampling"] = model.pop("timesteps")
    if kind in ("DiffInSTN", "LatentDiffInSTN", "STN"):
        model |= poses
    elif kind == "STNInDiff":
        model |= {"hypotheses": poses.get("hypotheses", 1), **clips}
    elif kind == "DiffusionModel":
        model |= clips
    task, codec = _task(kind, str(old["data"]["_target_"]))
    if "codec" in groups:
        new["codec"] = {"_target_": f"diffstn.codecs.{codec}"}
    new["model"], new["task"] = model, {"_target_": f"diffstn.tasks.{task}"}
    new["task"] |= _task_settings(task, evaluate)
    accelerator = old.get("accelerator", {})
    new["trainer"] = {
        "max_epochs": old["epochs"],
        "check_val_every_n_epoch": new["validate_every"],
        "max_steps": -1,
        "max_time": None,
        "num_sanity_val_steps": 0,
        "enable_model_summary": False,
        "accelerator": accelerator.get("name", "auto"),
        "devices": accelerator.get("devices", 1),
        "strategy": accelerator.get("strategy", "auto"),
        "precision": accelerator.get("precision", "auto"),
    }
    return new


def _class_names(config: dict[str, Any]) -> dict[str, Any]:
    """The same, where `classes` of torchvision's sets were all of their names, not a choice."""
    data = config.get("data") or {}
    source = str((data.get("images") or {}).get("_target_"))
    if not source.endswith(".TorchvisionImages") or "class_names" in data:
        return config
    renamed = {"class_names" if name == "classes" else name: data[name] for name in data}
    return {**config, "data": renamed}


def _moved(node: Any) -> Any:
    """A copy with every `_target_` where it is now, and `pictures` called images."""
    if isinstance(node, list):
        return [_moved(one) for one in node]
    if isinstance(node, Mapping):
        renamed = {"images" if name == "pictures" else name: node[name] for name in node}
        return {name: _moved(value) for name, value in renamed.items()}
    if isinstance(node, str) and node.startswith("diffstn."):
        for before, now in MOVED.items():
            if node == before or (before.endswith(".") and node.startswith(before)):
                return now + node[len(before) :]
    return node


def _data(node: Mapping[str, Any]) -> dict[str, Any]:
    """A data module's node with what only the source of its images reads beside it."""
    data = dict(node)
    if "images" in data:
        source = dict(data["images"])
        data["images"] = {"_target_": source.pop("_target_"), "_partial_": True}
        data = {**source, **data}
    return data


def _partial(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node as a factory, and so the one within it."""
    inner = {
        name: _partial(value) if isinstance(value, Mapping) and "_target_" in value else value
        for name, value in node.items()
    }
    return {"_target_": inner.pop("_target_"), "_partial_": True, **inner}


def _classifier(old: Mapping[str, Any], run: Path) -> dict[str, Any]:
    if old["mode"] == "joint":
        return {
            "_target_": "diffstn.models.joint_classifier.JointClassifier",
            "_partial_": True,
            "encoder": _partial(old["encoder"]),
        }
    node = {
        "_target_": "diffstn.models.frozen_judge.FrozenJudge",
        "_partial_": True,
        "_recursive_": False,
        "run": old["run"],
    }
    beside = run / "judge.yaml"
    if not beside.exists():
        return node
    judge = migrated(read_yaml(beside), beside)
    names = ("model", "encoder", "frame", "optimizer", "lr_scheduler", "data")
    kept = {name: judge[name] for name in names if name in judge}
    return {**node, "kept": {"run": old["run"], "facts": None, "config": kept}}


def _task(kind: str, data: str) -> tuple[str, str]:
    """The task and the codec of a model on the data of that class."""
    if kind != "DiffusionModel":
        return PURPOSES.get(kind, "correct.Correct"), "pixels.Pixels"
    if data.endswith(".upright"):
        return TASKS["upright"]
    return TASKS["points" if data.endswith(".ShapePoints") else "clouds"]


def _task_settings(task: str, evaluate: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the settings of an evaluation that the task has."""
    own = {
        "correct.Correct": ("hypotheses", "limit"),
        "redraw.Redraw": ("hypotheses", "limit"),
        "classify.Classify": ("limit",),
        "classify_noisy.ClassifyNoisy": ("limit",),
        "generate_images.GenerateImages": (
            *("samples", "features", "inception_weights", "likelihood", "track"),
        ),
        "generate_points.GeneratePoints": ("samples",),
        "generate_clouds.GenerateClouds": ("samples", "distance"),
    }[task]
    return {name: evaluate[name] for name in own if name in evaluate}
