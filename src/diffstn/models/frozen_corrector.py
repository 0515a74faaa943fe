"""A trained pose diffusion model that no longer learns."""

from typing import Any

from diffstn.build import Kept, part
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.models.diff_in_stn import DiffInSTN
from diffstn.networks.frozen import Frozen
from diffstn.spatial import family_of


class FrozenCorrector(Frozen):
    """The model of a run of `model=diff_in_stn`, with its weights, as a part of another.

    As a run that uses a frozen judge keeps the judge, one that uses this keeps the model's facts
    and configuration (`kept_of`) and, among its own weights, the model's.

    Args:
        facts: of the images that it is to correct.
        run: folder of its run, or `pretrained/NAME`.
        kept: what `kept_of` found; None: it is read from its folder.

    Raises:
        UserError: there is no such run, it is of another family, or its poses, classes or images
            are not those of the facts.
    """

    def __init__(self, facts: Facts, run: str, kept: Kept | None = None) -> None:
        model, brought = part(run, kept, SETTING)
        if not isinstance(model, DiffInSTN):
            raise UserError(
                f"{SETTING}: {run} is a run of {type(model).__name__}; an ensemble is made of runs"
                " of model=diff_in_stn"
            )
        theirs, ours = described(model.facts), described(facts)
        theirs["poses"] = family_of(model.transformation)
        if other := [name for name in ours if ours[name] != theirs[name]]:
            raise UserError(
                f"{SETTING}: {run} has other {' and '.join(other)} than the data"
                f" ({theirs[other[0]]}, not {ours[other[0]]}): choose runs that were trained on the"
                " same kind of data, and these data"
            )
        super().__init__(model)
        self.brought_weights = brought


SETTING = "model.members"
"""Where runs are named, for messages."""


def described(facts: Facts) -> dict[str, Any]:
    """What correctors of the same images agree in."""
    assert facts.transformation is not None
    return {
        "poses": family_of(facts.transformation),
        "classes": list(facts.classes),
        "channels": facts.channels,
        "sizes": [facts.size, facts.canvas],
    }
