"""A run that is carried on with."""

from collections.abc import Sequence
from typing import Any

from diffstn.cli.overrides import apply_overrides
from diffstn.errors import UserError
from diffstn.store.run_folder import RunFolder, open_run
from diffstn.store.trust import check_places, check_targets
from diffstn.words import last_words, value_of

AGAIN = (
    *("epochs=", "validate_every=", "trainer.", "checkpoint.", "report="),
    *("data.workers=", "data.cache="),
)
"""What may differ on resuming, and counts again where it began the run: it may have changed."""
CHANGEABLE = (
    *(*AGAIN, "evaluate.", "task.", "sampler.", "accelerator"),
    *("logger", "callbacks", "+callbacks", "debug=", "trust="),
)
"""What may differ when a run is resumed."""


def settled(words: Sequence[str]) -> list[str]:
    """The words with `resume=auto` as what it comes to: true where `out` holds a run, else false.

    Raises:
        UserError: it is not said where.
    """
    if "resume=auto" not in words:
        return list(words)
    out = last_words(words).get("out", "")
    if out in ("", "out="):
        raise UserError("resume=auto begins or carries on with the run in out=; pass out=<folder>")
    begun = RunFolder(value_of(out)).config.exists()
    return [f"resume={str(begun).lower()}" if word == "resume=auto" else word for word in words]


def resumed_config(
    out: str | None, words: Sequence[str], trust: Sequence[str] = (), search: Sequence[str] = ()
) -> dict[str, Any]:
    """The configuration of the run in folder `out`, with the overrides that are new, to carry on.

    Raises:
        UserError: there is no run, it is not trusted, or the overrides do not fit it.
    """
    if out is None:
        raise UserError("resume=true carries on with the run in out=; pass out=<its folder>")
    run = open_run(out)
    if run.is_shipped:
        raise UserError(f"{out} ships with the package; start a new run from it with ckpt={out}")
    own = run.read_config()
    said = last_words(run.read_overrides())
    here = ("out=", "resume=", "hydra", "trust=", "debug=")
    new = [
        word
        for key, word in last_words(words).items()
        if not word.startswith(here) and (word != said.get(key) or word.startswith(AGAIN))
        if word.replace("=", ".run=", 1) not in said.values()  # a group's run that is gone since
    ]
    fixed = [word for word in new if not word.startswith(CHANGEABLE)]
    if fixed and apply_overrides(own, fixed, search) != own:
        raise UserError(
            f"resume=true {fixed[0]}: a run that has begun keeps this; what can change is"
            f" {', '.join(name.rstrip('=.') for name in CHANGEABLE[:9])}. Or start a new run"
        )
    config = apply_overrides(own, new, search)
    check_targets(config, trust)
    check_places(own, run.path, trust)
    return {**config, "resume": True, "out": str(run.path)}
