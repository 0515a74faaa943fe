"""A trained classifier of upright images, which no longer learns."""

from collections.abc import Mapping
from typing import Any

from diffstn.build import build_data, build_model, load_model, needed
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.networks.frozen import Frozen
from diffstn.store.run_folder import open_run


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

    def __init__(self, facts: Facts, run: str, kept: Mapping[str, Any] | None = None) -> None:
        self_contained = kept is not None and kept["run"] == run
        if kept is not None and self_contained:
            # a run of an older version kept the judge's data instead of their facts
            theirs = (
                Facts.from_plain(kept["facts"])
                if kept["facts"]
                else build_data(kept["config"]).facts
            )
            judge: Any = build_model(kept["config"], theirs)
        else:
            judge = load_model(run)
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
        self.brought_weights = not self_contained

    @staticmethod
    def self_contained(node: Mapping[str, Any]) -> dict[str, Any]:
        """The node with all that it takes to build the judge without its folder."""
        if (node.get("kept") or {}).get("run") == node["run"]:
            return dict(node)
        config = needed(open_run(node["run"]).read_config())
        facts: Any = load_model(node["run"]).facts
        return {**node, "kept": {"run": node["run"], "facts": facts.plain(), "config": config}}
