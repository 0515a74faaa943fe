"""What leads a diffusion model while it samples: other runs, and where they do."""

from collections.abc import Sequence

from diffstn.build import load_model
from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion.schedules import Schedule
from diffstn.errors import UserError
from diffstn.models.noisy_classifier import NoisyClassifier, check_guide


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
