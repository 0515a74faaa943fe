"""The image encoder of a model, looking through the model's frame."""

from torch import nn

from diffstn.build import Factory, asks_for, fitted
from diffstn.data.facts import Facts
from diffstn.networks.encoders.framed import FramedEncoder
from diffstn.spatial import Frame


def encoder_for(
    facts: Facts, encoder: Factory, frame: Frame | None = None, padding: str = "zeros"
) -> nn.Module:
    """A new encoder for the data's canvas or, through a frame, for upright's size.

    An encoder that takes `frame` looks through it by itself; any other is shown the warped image,
    and beyond its edges what `padding` says.
    """
    size = facts.size if frame is not None else facts.canvas
    looks_itself = "frame" in asks_for(encoder)
    made = fitted(encoder, channels=facts.channels, size=size, frame=frame)
    if frame is None or looks_itself:
        return made
    assert facts.size is not None
    return FramedEncoder(made, frame, facts.size, padding)
