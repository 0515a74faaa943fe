"""Which network looks at generated images."""

import hashlib
from typing import Any

from diffstn.build import load_model
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.metrics.images import ClassifierFeatures, Features, InceptionFeatures
from diffstn.store.run_folder import RunFolder, open_run

FEATURES = ("judge", "cifar_judge", "inception")
JUDGES = {"judge": "pretrained/judge", "cifar_judge": "pretrained/cifar_judge"}
CHANNELS = {"judge": 1, "cifar_judge": 3}
DEFAULTS = {1: "judge", 3: "cifar_judge"}


def choose_features(
    name: str | Features | None, facts: Facts, weights: str | None = None
) -> Features:
    """The features called `name`; None: those of our own classifier for such images.

    Args:
        name: one of `FEATURES`, the folder of a run of `model=classifier`, or features themselves.
        facts: of the images to look at.
        weights: a file with Inception's weights.

    Raises:
        UserError: the classifier reads other images, or Inception cannot be had.
    """
    if name is not None and not isinstance(name, str):
        return name
    name = name or DEFAULTS.get(facts.channels or 0)
    if name == "inception":
        return InceptionFeatures(weights, facts.channels or 0)
    if name is None or CHANNELS.get(name, facts.channels) != facts.channels:
        raise UserError(
            f"task.features={name}: it reads images of {CHANNELS.get(name or '')} channels,"
            f" these have {facts.channels}; choose {DEFAULTS.get(facts.channels or 0, 'inception')}"
        )
    run = open_run(JUDGES.get(name, name))
    judge: Any = load_model(run)
    if not hasattr(judge, "classify") or judge.facts.channels != facts.channels:
        raise UserError(
            f"task.features={name} is no classifier of {facts.channels}-channel images; choose"
            f" {', '.join(FEATURES)}, or the folder of a run of model=classifier"
        )
    return ClassifierFeatures(
        judge.network, name, judge.facts.channels, digest(run), judge.facts.classes
    )


def digest(run: RunFolder) -> str:
    """Of the weights of a run."""
    shipped = run.path / "weights.safetensors"
    content = shipped if shipped.exists() else run.checkpoints / "best.ckpt"
    return hashlib.sha256(content.read_bytes()).hexdigest()[:16]
