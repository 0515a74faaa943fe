"""A diffusion model of another run, for one of the same data and noise."""

from typing import Any

from diffstn.build import load_model
from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion.schedules import Schedule
from diffstn.errors import UserError
from diffstn.models.noisy_classifier import same_noise


def diffusion_of(
    said: str, facts: Facts, schedule: Schedule, codec: Codec, conditional: bool = False
) -> Any:
    """The model of a run, which takes no gradients and knows what the asking one knows.

    Args:
        said: how it was asked for, "model.weak=runs/NAME".
        facts, schedule, codec: of the asking model.
        conditional: whether that hears labels; then both must know the same classes.

    Raises:
        UserError: it is no diffusion model, or one of other data, of another codec or other noise.
    """
    model: Any = load_model(said.partition("=")[2])
    if not hasattr(model, "denoiser") or not hasattr(model, "codec"):
        raise UserError(f"{said} is no run of a diffusion model, such as model=ddpm_unet")
    theirs = model.facts
    if shape_of(theirs) != shape_of(facts):
        raise UserError(
            f"{said} makes {shape_of(theirs)}, the model {shape_of(facts)}: train one on the same"
            " data"
        )
    if conditional and theirs.classes != facts.classes:
        raise UserError(f"{said} knows other classes: {', '.join(theirs.classes)}")
    if model.codec.facts(facts) != codec.facts(facts):
        raise UserError(f"{said} samples through another codec than the model")
    if not same_noise(model.denoiser.schedule, schedule):
        raise UserError(f"{said} was trained with another schedule than the model")
    return model.requires_grad_(False)


def shape_of(facts: Facts) -> str:
    """What items of the data are, in words."""
    if facts.size is None:
        points = f"clouds of {facts.points} points" if facts.points else "points"
        return f"{points} of {facts.dim} numbers"
    return f"{facts.channels}-channel images of {facts.size[0]} x {facts.size[1]} px"
