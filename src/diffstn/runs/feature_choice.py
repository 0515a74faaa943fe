"""Which network looks at generated images."""

import hashlib
from typing import Any

from diffstn.errors import UserError
from diffstn.metrics.images import ClassifierFeatures, Features, InceptionFeatures
from diffstn.runs.assembly import Assembly
from diffstn.store.run_folder import RunFolder, open_run

FEATURES = ("judge", "cifar_judge", "inception")
JUDGES = {"judge": "pretrained/judge", "cifar_judge": "pretrained/cifar_judge"}
CHANNELS = {"judge": 1, "cifar_judge": 3}
DEFAULTS = {1: "judge", 3: "cifar_judge"}


def choose_features(name: str | None, data: Any, weights: str | None = None) -> Features:
    """The features called `name`; None: those of our own classifier for such images.

    Args:
        data: the images to look at, with `channels`.
        weights: a file with Inception's weights.

    Raises:
        UserError: the classifier reads other images, or Inception cannot be had.
    """
    name = name or DEFAULTS.get(data.channels)
    if name == "inception":
        return InceptionFeatures(weights, data.channels)
    if name is None or CHANNELS[name] != data.channels:
        raise UserError(
            f"evaluate.features={name}: it reads images of {CHANNELS.get(name or '')} channels,"
            f" these have {data.channels}; choose {DEFAULTS.get(data.channels, 'inception')}"
        )
    run = open_run(JUDGES[name])
    network = Assembly.from_run(run).model.network
    return ClassifierFeatures(network, name, CHANNELS[name], digest(run))


def digest(run: RunFolder) -> str:
    """Of the weights of a shipped run."""
    return hashlib.sha256((run.path / "weights.safetensors").read_bytes()).hexdigest()[:16]


def knows(features: Features, data: Any) -> bool:
    """Whether the features' classes are those of the data, so that accuracies mean something."""
    if features.name not in JUDGES:
        return False
    stored = open_run(JUDGES[features.name]).read_config()
    return Assembly(stored).data.classes == data.classes
