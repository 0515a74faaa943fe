"""The jobs of a sweep, refused before any of them starts."""

import itertools
from collections.abc import Iterator, Sequence

from hydra.core.override_parser.types import Glob, IntervalSweep, Override, RangeSweep

from diffstn.cli.conf import composed, plain
from diffstn.cli.refusals import explained, parse
from diffstn.errors import UserError
from diffstn.store.sweep_folder import begun
from diffstn.words import last_words

MOST_JOBS = 64
"""Looked at before a sweep begins."""
MOST_VALUES = 10_000
"""Of one key: more is a slip."""


def combinations(parsed: Sequence[Override]) -> Iterator[list[str]]:
    """What a sweep over `key=a,b` and the like expands to, at most `MOST_JOBS` of it.

    Words that only a sweeper can expand, such as `interval(0, 1)` and `glob(*)`, are left out.
    """
    choices = []
    for override in parsed:
        line = override.input_line or ""
        if not override.is_sweep_override():
            choices.append([line])
        elif not isinstance(override.value(), Glob | IntervalSweep):
            name = line.split("=", 1)[0]
            some = itertools.islice(override.sweep_string_iterator(), MOST_JOBS)
            choices.append([f"{name}={value}" for value in some])
    yield from (list(c) for c in itertools.islice(itertools.product(*choices), MOST_JOBS))


def check_words(words: Sequence[str]) -> None:
    """Refuse (`UserError`) sweeps where there is one job alone, and words that are none."""
    for override in parse(words):
        if override.is_sweep_override():
            raise UserError(f"'{override.input_line}' is a sweep; add -m to run all of it")


def check_jobs(words: Sequence[str], search: Sequence[str] = (), again: bool = False) -> list[str]:
    """Refuse a sweep of which a job cannot work, and claim its folder; the words that are added.

    They say which folder it is and, to a sweeper that searches, what is better.

    Args:
        again: the sweep in the folder is carried on with.

    Raises:
        UserError: one line, with the remedy.
    """
    parsed, added = parse(words), []
    given = last_words(words)
    for override in parsed:
        if override.key_or_group == "out":
            raise UserError("out= is one folder; for a sweep pass hydra.sweep.dir=<folder>")
        if override.key_or_group == "resume":
            raise UserError("resume=auto is for one run; a sweep is carried on with resume=true")
        _check_word(override)
    from diffstn.runs.train import check, seeded

    for one in combinations(parsed):
        try:
            cfg = composed("train", one, search, hydra_too=True)
        except Exception as error:
            raise UserError(explained(error, one, search)) from error
        hydra = cfg.hydra
        searches = hydra.runtime.choices["hydra/sweeper"] != "basic"
        for override in parsed:
            if override.is_interval_sweep() and not searches:
                raise UserError(
                    f"'{override.input_line}' is for a sweeper that searches: pass"
                    " hydra/sweeper=optuna"
                )
        config = plain(cfg, dict(hydra.runtime.choices))
        if config["trainer"]["devices"] != 1:
            raise UserError(
                "-m with accelerator=ddp would start one sweep per GPU; run the jobs one by one, or"
                " sweep with accelerator=gpu"
            )
        check(config)
        model = seeded(config).model
    if searches and "direction" in hydra.sweeper and "hydra.sweeper.direction" not in given:
        better = getattr(model, "monitor", ("", "max"))[1]
        added.append(f"hydra.sweeper.direction={better}imize")
    keys = [o.key_or_group for o in parsed if not o.is_sweep_override()]
    named = keys if searches or len(keys) < len(parsed) else []
    return added if again else [*added, *begun(hydra.sweep.dir, words, added, named)]


def _check_word(override: Override) -> None:
    """Refuse sweeps over nothing, or over too much."""
    if override.is_range_sweep():
        span = override.value()
        assert isinstance(span, RangeSweep)
        jobs = (float(span.stop or 0) - float(span.start or 0)) / (float(span.step) or 1)
        if jobs > MOST_VALUES:
            raise UserError(f"'{override.input_line}' is a sweep over {jobs:.0f} values")
        if next(iter(override.sweep_string_iterator()), None) is None:
            raise UserError(f"'{override.input_line}' is a sweep over nothing")
