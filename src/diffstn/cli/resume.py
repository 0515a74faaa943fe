"""A run that is carried on with."""

from collections.abc import Sequence
from typing import Any

from diffstn.cli.overrides import apply_overrides
from diffstn.errors import UserError
from diffstn.store.run_folder import open_run
from diffstn.store.trust import check_targets

CHANGEABLE = (
    *("epochs=", "validate_every=", "evaluate.", "task.", "sampler.", "trainer.", "accelerator"),
    *("logger", "callbacks", "+callbacks", "checkpoint.", "debug=", "trust="),
)
"""What may differ when a run is resumed."""


def asks_to_resume(words: Sequence[str]) -> bool:
    """Whether `resume=true` is among the words."""
    return any(word.lower() in ("resume=true", "resume=1") for word in words)


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
    path = run.path / "overrides.txt"
    said = path.read_text().splitlines() if path.exists() else []
    here = ("out=", "resume=", "hydra", "trust=", "debug=")
    new = [word for word in words if word not in said and not word.startswith(here)]
    fixed = [word for word in new if not word.startswith(CHANGEABLE)]
    if fixed:
        raise UserError(
            f"resume=true {fixed[0]}: a run that has begun keeps this; what can change is"
            f" {', '.join(name.rstrip('=.') for name in CHANGEABLE[:9])}. Or start a new run"
        )
    config = apply_overrides(run.read_config(), new, search)
    check_targets(config, trust)
    return {**config, "resume": True, "out": str(run.path)}
