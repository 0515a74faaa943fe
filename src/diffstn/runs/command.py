"""The command line of train.py, sample.py and evaluate.py."""

import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from diffstn.build.hardware import choose_hardware
from diffstn.errors import UserError
from diffstn.runs import sweep
from diffstn.runs.checks import check_config, check_settings, needs_training, try_out
from diffstn.runs.overrides import (
    apply_overrides,
    check_overrides,
    combinations,
    composed,
    parse,
)
from diffstn.store.run_folder import RunFolder, open_run

BAD_INPUT = 2
CHANGEABLE = (
    "epochs=",
    "validate_every=",
    "evaluate.",
    "sampler.",
    "accelerator",
    "logger",
    "debug=",
)
"""What may differ when a run is resumed."""


def run_folder(out: str | None, model: str, data: str, seed: int) -> str:
    """`out`, or a new folder below runs/ that says what it holds."""
    return out or time.strftime(f"runs/%Y-%m-%d_%H-%M-%S-{model}-{data}-seed{seed}")


def file_name(text: str) -> str:
    """`text` as one short path component that can stand in an override without quotes."""
    return re.sub(r"[^\w.-]+", ".", text.replace("=", "-").replace(",", "_"))[:120]


OmegaConf.register_new_resolver("run_folder", run_folder, use_cache=True, replace=True)
OmegaConf.register_new_resolver("file_name", file_name, replace=True)


def guarded(work: Callable[[], Any], debug: bool) -> int:
    """Run `work`; bad input becomes one line and exit code 2."""
    try:
        work()
    except UserError as error:
        if debug:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def plain_config(cfg: DictConfig, choices: dict[str, Any]) -> dict[str, Any]:
    """The composed configuration as plain containers, with the names of its choices."""
    try:
        config = OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException as error:
        raise UserError(" ".join(str(error).split())) from None
    assert isinstance(config, dict)
    config["choices"] = {k: v for k, v in choices.items() if v and not k.startswith("hydra")}
    return config  # type: ignore[return-value]


def resumed_config(out: str | None, words: Sequence[str], conf: Path) -> dict[str, Any]:
    """The configuration of the run in folder `out`, with the overrides that are new, to carry on.

    Raises:
        UserError: there is no run, or the overrides do not fit it.
    """
    if out is None:
        raise UserError("resume=true carries on with the run in out=; pass out=<its folder>")
    run = open_run(out)
    said = (run.path / "overrides.txt").read_text().splitlines()
    here = ("out=", "resume=", "hydra")
    new = [word for word in words if word not in said and not word.startswith(here)]
    fixed = [word for word in new if not word.startswith(CHANGEABLE)]
    if fixed:
        raise UserError(
            f"resume=true {fixed[0]}: a run that has begun keeps this; what can change is"
            f" {', '.join(name.rstrip('=.') for name in CHANGEABLE)}. Or start a new run"
        )
    config = apply_overrides(run.read_config(), new, conf)
    check_config(config, conf)
    return {**config, "resume": True}


def train_command(conf: Path, arguments: Sequence[str] | None = None) -> int:
    """`python train.py [-m] [overrides]`; see conf/train.yaml."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    words = [word for word in arguments if not word.startswith("-")]
    debug = "debug=true" in (word.lower() for word in words)
    multirun = bool({"-m", "--multirun"} & set(arguments))
    resumed: dict[str, Any] = {}
    asks = {"-h", "--help", "--hydra-help", "--cfg", "-c", "--info", "-i"} & set(arguments)

    def check() -> None:
        parsed, sweeps = parse(words), set()
        if multirun and any(override.key_or_group == "out" for override in parsed):
            raise UserError("out= is one folder; for a sweep pass hydra.sweep.dir=<folder>")
        for override in parsed:
            if override.is_sweep_override() and not multirun:
                raise UserError(f"'{override.input_line}' is a sweep; add -m to run all of it")
        for one in combinations(parsed):
            check_overrides(conf, "train", one)
            cfg = composed(conf, "train", one, hydra_too=True)
            choices = OmegaConf.to_container(cfg.hydra.runtime.choices)
            sweeps.add(str(cfg.hydra.sweep.dir))
            with open_dict(cfg):
                del cfg.hydra
            config = plain_config(cfg, choices)  # type: ignore[arg-type]
            check_config(config, conf)
            if multirun and config["accelerator"]["devices"] != 1:
                raise UserError(
                    "-m with accelerator=ddp would start one sweep per GPU; run the jobs one by"
                    " one, or sweep with accelerator=gpu"
                )
            if not needs_training(config):
                name = config["choices"]["model"]
                raise UserError(
                    f"model={name} has nothing to train; run: python sample.py model={name}"
                )
            choose_hardware(**config["accelerator"])
            if not config["resume"]:
                try_out(config)
            elif multirun:
                raise UserError("resume=true carries on with one run; leave -m out")
            else:
                resumed.update(resumed_config(config["out"], one, conf))

        for folder in sweeps if multirun else ():
            if any(Path(folder).glob("*/overrides.txt")):
                raise UserError(f"{folder} holds a sweep already; choose another hydra.sweep.dir=")

    if not asks:
        code = guarded(check, debug)
        if code:
            return code
    problems: list[BaseException] = []

    def job(cfg: DictConfig) -> None:
        from diffstn.runs.training import train

        context = HydraConfig.get()
        run = RunFolder(context.runtime.output_dir)
        words = list(context.overrides.task)
        config = plain_config(cfg, OmegaConf.to_container(context.runtime.choices))  # type: ignore[arg-type]
        interrupted = any(isinstance(problem, KeyboardInterrupt) for problem in problems)
        if interrupted or (problems and config["on_error"] == "stop"):
            if run.config.exists():
                return
            run.write_overrides(words)
            why = "the sweep was interrupted" if interrupted else "on_error=stop"
            run.status("skipped", error=f"an earlier job did not finish, and {why}")
            return
        try:
            train(resumed or config, run, words)
        except (Exception, KeyboardInterrupt) as error:
            problems.append(error)
            if multirun:
                print(f"job failed: {run.path}: {error}", file=sys.stderr)

    sweep.failures.clear()
    sweeping = ["-m"] if multirun else []  # argparse wants it before all overrides
    rest = [word for word in arguments if word not in ("-m", "--multirun")]
    sys.argv = [sys.argv[0], *sweeping, *rest]
    os.environ.setdefault("HYDRA_FULL_ERROR", "1" if debug else "0")
    hydra.main(version_base="1.3", config_path=str(conf.resolve()), config_name="train")(job)()
    if multirun:
        return 1 if problems or sweep.failures else 0

    def outcome() -> None:
        if problems:
            raise problems[0]

    return guarded(outcome, debug)


def run_command(
    conf: Path,
    name: str,
    work: Callable[[RunFolder, dict[str, Any], dict[str, Any]], Any],
    arguments: Sequence[str] | None = None,
    untrained: Callable[[dict[str, Any], dict[str, Any]], Any] | None = None,
) -> int:
    """`python sample.py run=… [overrides]` and `python evaluate.py run=… [overrides]`.

    Overrides of keys in conf/<name>.yaml are the command's own; all others change the run's
    configuration. A model that needs no training has no run: `model=` names it instead.

    Args:
        work: called with the run, the command's settings and the run's configuration.
        untrained: called with the command's settings and a composed configuration.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(words):
        print((conf / f"{name}.yaml").read_text())
        print("Any other override changes the run's own configuration, e.g. sampler.steps=20.")
        return 0

    def checked() -> None:
        own = composed(conf, name, [])
        parsed = parse(words)
        mine = [o.input_line or "" for o in parsed if o.key_or_group.split(".")[0] in own]
        theirs = [o.input_line or "" for o in parsed if o.key_or_group.split(".")[0] not in own]
        check_overrides(conf, name, mine)
        settings: Any = OmegaConf.to_container(composed(conf, name, mine), resolve=True)
        check_settings(settings, name)
        if untrained and not settings["run"] and any(w.startswith("model=") for w in theirs):
            check_overrides(conf, "train", theirs)
            cfg = composed(conf, "train", theirs, hydra_too=True)
            choices = OmegaConf.to_container(cfg.hydra.runtime.choices)
            with open_dict(cfg):
                del cfg.hydra
            config = plain_config(cfg, choices)  # type: ignore[arg-type]
            check_config(config, conf)
            if needs_training(config):
                raise UserError(
                    f"model={config['choices']['model']} has to be trained first: pass"
                    " run=<folder of its run>"
                )
            untrained(settings, config)
            return
        run = open_run(settings["run"])
        config = apply_overrides(run.read_config(), theirs, conf)
        settings["overrides"] = theirs
        if settings["accelerator"]["precision"] == "auto":
            settings["accelerator"]["precision"] = config["accelerator"]["precision"]
        config["accelerator"] = settings["accelerator"]
        check_config(config, conf)
        work(run, settings, config)

    return guarded(checked, "debug=true" in (word.lower() for word in words))
