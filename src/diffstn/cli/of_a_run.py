"""`sample.py run=… [overrides]` and `evaluate.py run=… [overrides]`."""

import sys
from collections.abc import Sequence
from typing import Any

from omegaconf import OmegaConf

from diffstn.cli.chosen_runs import with_runs
from diffstn.cli.conf import CONF, composed, composing, groups, import_from_here, training_config
from diffstn.cli.flags import flags, search_path
from diffstn.cli.overrides import apply_overrides
from diffstn.cli.refusals import Outcome, keys, no_setting, parse
from diffstn.errors import UserError
from diffstn.runs.settings import EvaluateSettings, SampleSettings, TrainSettings
from diffstn.schema import check_config, check_settings
from diffstn.signatures import signature
from diffstn.store.migration import with_defaults, with_room
from diffstn.store.run_folder import open_run
from diffstn.store.trust import check_targets

HERE = {"accelerator": "auto", "devices": 1, "num_nodes": 1, "strategy": "auto"}
"""Hardware of the machine at hand instead of that of the training."""


def run_command(name: str, arguments: Sequence[str] | None = None) -> int:
    """Run `sample` or `evaluate`; return the exit code.

    Overrides of keys in conf/<name>.yaml are the command's own, names of the task's settings are
    the task's, and all others change the run's configuration. A model that has nothing to learn
    has no run: `model=` names it instead.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(arguments):
        print((CONF / f"{name}.yaml").read_text())
        return 0
    asked = flags(arguments)
    words: list[str] = asked.overrides
    search = search_path(asked)
    import_from_here()

    debug = "debug=true" in (word.lower() for word in words)
    with Outcome(debug, words, search) as outcome:
        own: Any = OmegaConf.to_container(composed(name, []))
        parsed = parse(with_runs(words, search))
        first = [(o.key_or_group.split(".")[0].split("/")[0], o.input_line or "") for o in parsed]
        mine = [line for key, line in first if key in own]
        theirs = [line for key, line in first if key not in own]
        settings: Any = OmegaConf.to_container(composed(name, mine), resolve=True)
        check_settings(settings, SampleSettings if name == "sample" else EvaluateSettings)
        if not settings["run"] and any(w.startswith("model=") for w in theirs):
            _untrained(name, settings, own, theirs, search)
        else:
            _of_a_run(name, settings, own, theirs, search, asked)
    return outcome.code


def _untrained(
    name: str,
    settings: dict[str, Any],
    own: dict[str, Any],
    words: Sequence[str],
    search: Sequence[str],
) -> None:
    stands = training_config([word for word in words if word.startswith("model=")], search)
    theirs = [_of_the_task(word, stands, own, search) for word in words]
    config = training_config(theirs, search)
    from diffstn.runs.train import check

    check(config)
    if name == "sample":
        from diffstn.runs.sample import sample_untrained

        sample_untrained(settings, config)
    else:
        from diffstn.runs.evaluate import evaluate_untrained

        evaluate_untrained(settings, config, theirs)


def _of_a_run(
    name: str,
    settings: dict[str, Any],
    own: dict[str, Any],
    words: Sequence[str],
    search: Sequence[str],
    asked: Any,
) -> None:
    run = open_run(settings["run"])
    stored = run.read_config()
    check_targets(stored, settings["trust"])
    stored["trainer"] = {**stored["trainer"], **HERE}
    theirs = [_of_the_task(word, stored, own, search) for word in words]
    stored |= {"task": with_defaults(stored["task"]), "model": with_room(stored["model"], theirs)}
    config = apply_overrides(stored, theirs, search)
    check_config(config, TrainSettings, signature)
    if asked.cfg:
        print(OmegaConf.to_yaml(config))
        return
    check_targets(config, settings["trust"])
    check_config(config, TrainSettings)
    if name == "sample":
        from diffstn.runs.sample import sample

        sample(run, settings, config)
    else:
        from diffstn.runs.evaluate import evaluate

        evaluate(run, settings, config, theirs)


def _of_the_task(
    word: str, config: dict[str, Any], own: dict[str, Any], search: Sequence[str]
) -> str:
    """A word that names a setting of the task alone, in full; any other as it is.

    Raises:
        UserError: it names nothing that the run, its task or the command has.
    """
    [override] = parse([word])
    key = override.key_or_group
    if "." in key or "/" in key or key in config or override.is_add():
        return word
    known = signature(config["task"]["_target_"])
    of_task = known.parameters if known else with_defaults(config["task"])
    if key in of_task and not key.startswith("_"):
        return f"task.{word}"
    with composing(search) as loader:
        if key in groups(loader):
            return word
    raise UserError(no_setting(key, [*own, *of_task, *keys(config)]))
