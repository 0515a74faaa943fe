"""A trained model as a part of another, which keeps all that it takes to build it again."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from diffstn.build.load import load_model
from diffstn.build.model import build_data, build_model, needed
from diffstn.data.facts import Facts
from diffstn.store.run_folder import open_run

Kept = Mapping[str, Any]
"""Of a run: its name as `run`, the `facts` of its data and the `config` of its model."""


class Part(NamedTuple):
    model: Any
    brought: bool
    """Whether it has its weights already, from its own folder; if not, the whole brings them."""


def part(run: str, kept: Kept | None = None, setting: str = "run") -> Part:
    """The model of a run, from what was kept of it or, if that is of another, from its folder.

    Args:
        run: folder of the run, or `pretrained/NAME`.
        kept: see `kept_of`.
        setting: where the run is named, for messages.

    Raises:
        UserError: there is no such run.
    """
    if kept is None or kept["run"] != run:
        return Part(load_model(open_run(run, setting)), True)
    config = kept["config"]
    # an older version kept the data's configuration instead of their facts
    facts = Facts.from_plain(kept["facts"]) if kept["facts"] else build_data(config).facts
    return Part(build_model(config, facts), False)


def kept_of(run: str, setting: str = "run") -> dict[str, Any]:
    """What to keep of a run."""
    folder = open_run(run, setting)
    facts: Any = load_model(folder).facts
    return {"run": run, "facts": facts.plain(), "config": needed(folder.read_config())}


def with_part(node: Mapping[str, Any]) -> dict[str, Any]:
    """The node of a part, which names it as `run`, with what is kept of it as `kept`."""
    known = node.get("kept") or {}
    return {**node, "kept": known if known.get("run") == node["run"] else kept_of(node["run"])}
