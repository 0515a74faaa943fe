"""A trained pose diffusion model that no longer learns."""

from collections.abc import Mapping
from typing import Any

from diffstn.build import build_model, load_model, needed
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.models.diff_in_stn import DiffInSTN
from diffstn.networks.frozen import Frozen
from diffstn.spatial import family_of
from diffstn.store.run_folder import open_run


class FrozenCorrector(Frozen):
    """The model of a run of `model=diff_in_stn`, with its weights, as a part of another.

    As a run that uses a frozen judge keeps the judge, one that uses this keeps the model's facts
    and configuration (`kept`) and, among its own weights, the model's.

    Args:
        facts: of the images that it is to correct.
        run: folder of its run, or `pretrained/NAME`.
        kept: what the method of that name has put there; None: it is read from its folder.

    Raises:
        UserError: there is no such run, it is of another family, or its poses, classes or images
            are not those of the facts.
    """

    def __init__(self, facts: Facts, run: str, kept: Mapping[str, Any] | None = None) -> None:
        model: Any
        if kept is None:
            model = load_model(open_run(run, SETTING))
        else:
            model = build_model(kept["config"], Facts.from_plain(kept["facts"]))
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
        self.brought_weights = kept is None

    @staticmethod
    def kept(run: str) -> dict[str, Any]:
        """All that it takes, beside the weights, to build the model without its folder."""
        folder = open_run(run, SETTING)
        facts: Any = load_model(folder).facts
        return {"run": run, "facts": facts.plain(), "config": needed(folder.read_config())}


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
