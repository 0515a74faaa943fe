"""What is refused before any work starts."""

import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from hydra.utils import get_object
from omegaconf import OmegaConf
from torch import nn

from diffstn.build.annotations import AtLeast, AtMost, Count, OneOf, describe, fits, parameters
from diffstn.build.hardware import choose_hardware
from diffstn.diffusion import Denoiser
from diffstn.errors import UserError
from diffstn.models.combination import COMBINATIONS
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.runs.assembly import FRAMES, TRANSFORMATIONS, Assembly, check_targets, user_errors
from diffstn.runs.feature_choice import FEATURES
from diffstn.runs.generation import DISTANCES
from diffstn.runs.image_generation import check_generation
from diffstn.runs.loggers import LOGGERS
from diffstn.runs.overrides import closest, composed

KINDS = {
    "upright": "images as they are",
    "distorted": "distorted images with their pose",
    "points": "single points",
    "clouds": "clouds of points",
}

WEIGHTS = Annotated[str, OneOf(("ema", "raw"))]
CHECKPOINT = Annotated[str, OneOf(("best", "last"))]
SEED = Annotated[int, AtLeast(0), AtMost(2**32 - 1)]

SETTINGS: dict[str, dict[str, Any]] = {
    "train": {
        "seed": SEED,
        "epochs": Count,
        "ema_decay": Annotated[float, AtLeast(0)],
        "frame": Annotated[str, OneOf(tuple(FRAMES))],
        "out": str | None,
        "resume": bool,
        "debug": bool,
        "on_error": Annotated[str, OneOf(("continue", "stop"))],
        "validate_every": Count,
        "evaluate.hypotheses": list[Count],
        "evaluate.weights": WEIGHTS,
        "evaluate.checkpoint": CHECKPOINT,
        "evaluate.limit": Count | None,
        "evaluate.samples": Count | None,
        "evaluate.distance": Annotated[str, OneOf(tuple(DISTANCES))],
        "evaluate.features": Annotated[str, OneOf(FEATURES)] | None,
        "evaluate.inception_weights": str | None,
        "evaluate.likelihood": Annotated[int, AtLeast(0)],
        "evaluate.track": Annotated[int, AtLeast(0)],
        "schedule.steps": Count,
        "sampler.hypotheses": Count,
        "sampler.combine": Annotated[str, OneOf(tuple(COMBINATIONS))],
        "model.transformation": Annotated[str, OneOf(tuple(TRANSFORMATIONS))] | None,
        "classifier.mode": Annotated[str, OneOf(("frozen", "joint"))],
        "classifier.run": str,
        "logger.name": Annotated[str, OneOf(LOGGERS)],
        "logger.project": str,
        "logger.offline": bool,
    },
    "sample": {
        "run": str | None,
        "out": str | None,
        "checkpoint": CHECKPOINT | None,
        "weights": WEIGHTS | None,
        "seed": SEED,
        "per_class": Count | None,
        "debug": bool,
    },
    "evaluate": {
        "run": str | None,
        "out": str | None,
        "checkpoint": CHECKPOINT | None,
        "weights": WEIGHTS | None,
        "split": Annotated[str, OneOf(("test", "val"))],
        "seed": SEED,
        "hypotheses": Count | list[Count] | None,
        "limit": Count | None,
        "samples": Count | None,
        "distance": Annotated[str, OneOf(tuple(DISTANCES))] | None,
        "features": Annotated[str, OneOf(FEATURES)] | None,
        "inception_weights": str | None,
        "likelihood": Count | None,
        "batch_size": Count,
        "debug": bool,
    },
}
"""The settings that no constructor's signature describes, by command."""


PARTS = {
    "encoder": {"encoder", "new_encoder", "network"},
    "classifier": {"classifier"},
    "network": {"denoiser", "noisy_network"},
    "schedule": {"denoiser", "schedule"},
    "sampler": {"sampler", "hypotheses", "combine"},
}
"""The parts of a model that come from a group, by the names under which constructors ask."""


def idle_groups(config: Mapping[str, Any]) -> set[str]:
    """The groups from which the model takes nothing."""
    wanted = parameters(get_object(config["model"]["_target_"])).keys()
    return {group for group, parts in PARTS.items() if not parts & wanted}


def without_effect(config: Mapping[str, Any], words: Sequence[str]) -> list[str]:
    """Those of the overrides that set something in a group which the model does not use."""
    idle = idle_groups(config)
    return [word for word in words if re.split(r"[.=@]", word.lstrip("+~"))[0] in idle]


def check_settings(config: Mapping[str, Any], command: str) -> None:
    """Refuse values of the wrong kind among `SETTINGS[command]`; absent ones are passed over.

    Raises:
        UserError: one line that names the setting and what it must be.
    """
    for path, kind in SETTINGS[command].items():
        node: Any = config
        *groups, name = path.split(".")
        for group in groups:
            node = node.get(group, {})
        if name in node:
            check_value(path, node[name], kind)


def check_value(path: str, value: Any, kind: Any) -> None:
    """Refuse a value that does not fit its annotation."""
    if not fits(value, kind):
        raise UserError(f"{path}={'null' if value is None else value}: must be {describe(kind)}")


def check_call(
    target: Callable[..., Any], settings: Mapping[str, Any], path: str, others: Mapping[str, Any]
) -> None:
    """Refuse settings that `target`'s signature does not allow, or `others` beside it.

    Nested nodes with a `_target_` are checked against their own.

    Raises:
        UserError: a name or a kind that the signature does not know.
    """
    known = {**parameters(target), **others}
    for name, value in settings.items():
        if name == "_target_":
            continue
        if name not in known:
            raise UserError(f"no setting '{path}.{name}'; {closest(name, list(known))}")
        check_value(f"{path}.{name}", value, known[name])
        if isinstance(value, Mapping) and "_target_" in value:
            check_call(get_object(value["_target_"]), value, f"{path}.{name}", {})


def kind_of(target: str) -> str:
    """What a data module's batches hold: upright or distorted."""
    return get_object(target).kind


GROUPS = (
    *("model", "data", "encoder", "network", "schedule", "sampler", "optimizer", "lr_scheduler"),
)
"""The groups that name a class or a function."""


def needs_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of data that the model can train on; one that leaves it open asks its network."""
    model = get_object(config["model"]["_target_"])
    if needs := getattr(model, "needs", ()):
        return needs
    network = get_object(config["network"]["_target_"])
    if not hasattr(network, "needs"):
        names = config.get("choices", {})
        raise UserError(
            f"network={names.get('network', network.__name__)} is none for"
            f" model={names.get('model', model.__name__)}: choose points, deepsets,"
            " set_transformer or unet"
        )
    return network.needs


def check_network(config: Mapping[str, Any], conf: Path | None) -> None:
    """Refuse a network that cannot be told what the model has to tell it.

    Raises:
        UserError: it lacks an argument that the model counts on.
    """
    tells = set(getattr(get_object(config["model"]["_target_"]), "tells", ()))

    def fit(target: str) -> bool:
        return tells <= parameters(get_object(target)).keys()

    if "network" not in config or fit(config["network"]["_target_"]):  # a run older than the group
        return
    names = config.get("choices", {})
    files = sorted((conf / "network").glob("*.yaml")) if conf else []
    nodes: list[Any] = [OmegaConf.load(path) for path in files]
    fitting = [file.stem for file, node in zip(files, nodes, strict=True) if fit(node["_target_"])]
    raise UserError(
        f"network={names.get('network', config['network']['_target_'])} is none for"
        f" model={names.get('model', config['model']['_target_'])}"
        + (f"; use network={' or '.join(fitting)}" if fitting else "")
    )


def needs_training(config: Mapping[str, Any]) -> bool:
    """Whether the model has anything to learn."""
    return getattr(get_object(config["model"]["_target_"]), "trained", True)


def check_config(config: Mapping[str, Any], conf: Path | None = None) -> None:
    """Refuse values of the wrong kind and combinations that cannot work, naming what fits.

    Args:
        config: a composed configuration, as plain containers.
        conf: the configuration folder, to name the data sets that fit.

    Raises:
        UserError: one line, with the remedy.
    """
    check_targets(config)
    check_settings(config, "train")
    check_call(choose_hardware, config["accelerator"], "accelerator", {})
    package = config["logger"]["name"]
    if package != "csv" and importlib.util.find_spec(package) is None:
        raise UserError(f"logger={package} needs: pip install 'diffstn[{package}]'")
    model, data, sampler = config["model"], config["data"], config["sampler"]
    own = parameters(get_object(model["_target_"]))
    denoiser_settings = {k: v for k, v in parameters(Denoiser).items() if k not in own}
    beside: dict[str, Mapping[str, Any]] = {
        "model": {**denoiser_settings, "transformation": Any, "guide": str | None},
        "sampler": {"hypotheses": Any, "combine": Any},
        "data": parameters(get_object(data["images"]["_target_"])) if "images" in data else {},
    }
    for group in GROUPS:
        if (node := config.get(group)) is None:  # a run older than the group
            continue
        check_call(get_object(node["_target_"]), node, group, beside.get(group, {}))
    classifier = config["classifier"]
    if (classifier["mode"] == "joint") != ("encoder" in classifier):
        raise UserError(
            f"classifier.mode={classifier['mode']}: write classifier={classifier['mode']}, which"
            " brings the settings that go with it"
        )
    if not needs_training(config):
        return
    needs = needs_of(config)
    if kind_of(data["_target_"]) not in needs:
        names = config.get("choices", {})
        raise UserError(
            f"model={names.get('model', model['_target_'])} cannot train on"
            f" data={names.get('data', data['_target_'])}: it needs"
            f" {' or '.join(KINDS[kind] for kind in needs)}{_what_fits(needs, conf)}"
        )
    check_network(config, conf)
    if config["epochs"] % min(config["validate_every"], config["epochs"]):
        raise UserError(
            f"validate_every={config['validate_every']} must divide epochs={config['epochs']}, for"
            " the last epoch to be validated"
        )
    steps, total = sampler["steps"], config["schedule"]["steps"]
    if (
        not {"schedule", "sampler"} & idle_groups(config)
        and steps is not None
        and not 1 <= steps <= total
    ):
        raise UserError(f"sampler.steps={steps}: the schedule has 1 to {total} steps to take")


def try_out(config: Mapping[str, Any]) -> None:
    """Build what `config` describes once: constructors refuse the values that are out of range.

    Raises:
        UserError: one of them did.
    """
    assembly = Assembly(config)
    if isinstance(assembly.model, DiffusionModel) and assembly.data.kind == "upright":
        check_generation(assembly.data, config["evaluate"])
    with user_errors("optimizer"):
        optimizer = assembly.factory("optimizer")([nn.Parameter(torch.zeros(1))])
    with user_errors("lr_scheduler"):
        assembly.factory("lr_scheduler")(optimizer, 10)


def _what_fits(needs: tuple[str, ...], conf: Path | None) -> str:
    if conf is None:
        return ""
    fitting = [
        path.stem
        for path in sorted((conf / "data").glob("*.yaml"))
        if kind_of(composed(conf, "train", [f"data={path.stem}"]).data._target_) in needs
    ]
    return f"; use data={' or '.join(fitting)}"
