"""A trained classifier of upright images, which no longer learns."""

from diffstn.build import Kept, part, with_part
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.networks.frozen import Frozen


class FrozenJudge(Frozen):
    """The network of a run of `model=classifier`, with its weights.

    A run that uses a judge keeps the judge's configuration (`self_contained`) and, among its own
    weights, the judge's: it does not look for the judge's folder again.

    Args:
        facts: of the images that it is to read.
        run: folder of the judge's run, or `pretrained/NAME`.
        kept: what `self_contained` put there; of another run it counts for nothing.

    Raises:
        UserError: there is no such run, it is no classifier, or it reads other images or classes.
    """

    def __init__(self, facts: Facts, run: str, kept: Kept | None = None) -> None:
        judge, brought = part(run, kept)
        theirs = judge.facts
        if not hasattr(judge, "network") or not hasattr(judge, "classify"):
            raise UserError(
                f"classifier.run={run} is no run of a classifier: train one with model=classifier"
            )
        if (theirs.channels, theirs.classes) != (facts.channels, facts.classes):
            raise UserError(
                f"classifier.run={run} reads {theirs.channels}-channel images of"
                f" {len(theirs.classes)} classes, the data has {facts.channels} channels and"
                f" {len(facts.classes)} classes: use classifier=joint, or train a judge with"
                " model=classifier on upright images and pass classifier.run=<its folder>"
            )
        super().__init__(judge.network)
        self.brought_weights = brought

    self_contained = staticmethod(with_part)
