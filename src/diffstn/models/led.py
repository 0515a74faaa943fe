"""What leads a diffusion model while it samples: other runs, and where they do."""

from collections.abc import Sequence
from typing import Any

from diffstn.build import load_model
from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion.schedules import Schedule
from diffstn.errors import UserError
from diffstn.models.noisy_classifier import NoisyClassifier, check_guide, same_noise


def interval(asked: Sequence[int] | None, steps: int) -> tuple[int, int] | None:
    """First and last of the timesteps at which sampling is led; None: all.

    Raises:
        ValueError: they are no two numbers in order within 0 … T.
    """
    if asked is None:
        return None
    if len(asked) != 2 or not 0 <= asked[0] <= asked[1] <= steps:
        raise ValueError(
            f"guidance_interval={list(asked)}: give its first and last timestep, from 0 to {steps}"
        )
    return asked[0], asked[1]


def weak_of(run: str, facts: Facts, schedule: Schedule, codec: Codec) -> Any:
    """The weaker model in the folder `run`, which takes no gradients.

    Raises:
        UserError: it is no diffusion model, or one of other data, of another codec or other noise.
    """
    model: Any = load_model(run)
    if not hasattr(model, "denoiser") or not hasattr(model, "codec"):
        raise UserError(f"model.weak={run} is no run of a diffusion model, such as model=ddpm_unet")
    theirs = model.facts
    if shape_of(theirs) != shape_of(facts):
        raise UserError(
            f"model.weak={run} makes {shape_of(theirs)}, the model {shape_of(facts)}: train a"
            " weaker one on the same data"
        )
    if model.conditional and theirs.classes != facts.classes:
        raise UserError(f"model.weak={run} knows other classes: {', '.join(theirs.classes)}")
    if model.codec.facts(facts) != codec.facts(facts):
        raise UserError(f"model.weak={run} samples through another codec than the model")
    if not same_noise(model.denoiser.schedule, schedule):
        raise UserError(f"model.weak={run} was trained with another schedule than the model")
    return model.requires_grad_(False)


def shape_of(facts: Facts) -> str:
    """What items of the data are, in words."""
    if facts.size is None:
        points = f"clouds of {facts.points} points" if facts.points else "points"
        return f"{points} of {facts.dim} numbers"
    return f"{facts.channels}-channel images of {facts.size[0]} x {facts.size[1]} px"


def guide_of(run: str, facts: Facts, schedule: Schedule, codec: Codec) -> NoisyClassifier:
    """The classifier of noisy data in the folder `run`, which takes no gradients of its own.

    Raises:
        UserError: it is no run of such a classifier, or it knows other data or other noise.
    """
    model = load_model(run)
    if not isinstance(model, NoisyClassifier):
        raise UserError(
            f"model.guide={run} is no run of model=noisy_classifier, which is what a guide has to"
            " be"
        )
    theirs = model.facts
    if (theirs.channels, theirs.classes) != (facts.channels, facts.classes):
        raise UserError(
            f"model.guide={run} knows {theirs.channels}-channel images of the classes"
            f" {', '.join(theirs.classes)}; train one on this data:"
            " python train.py model=noisy_classifier data=..."
        )
    if model.codec.facts(facts) != codec.facts(facts):
        raise UserError(
            f"model.guide={run} reads what another codec encodes; train one with the model's own"
        )
    check_guide(model, schedule, len(facts.classes))
    return model.requires_grad_(False)
