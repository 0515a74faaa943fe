"""`train.py [flags] [overrides]`: Hydra's command line, and what a job does."""

import math
import os
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from diffstn.cli.chosen_runs import with_runs
from diffstn.cli.conf import CONF, import_from_here, plain
from diffstn.cli.flags import flags, search_path
from diffstn.cli.jobs import check_jobs, check_words
from diffstn.cli.refusals import Outcome
from diffstn.cli.resume import resumed_config, settled
from diffstn.data.kinds import check_needs
from diffstn.errors import Stopped
from diffstn.runs.settings import TrainSettings
from diffstn.schema import check_config
from diffstn.signatures import Unread, attribute, signature
from diffstn.store import sweep
from diffstn.store.names import run_folder
from diffstn.store.run_folder import RunFolder
from diffstn.store.sweep_folder import SweepFolder, failing_engine
from diffstn.words import asks_to_resume

SHOWS = ("help", "hydra_help", "cfg", "info", "shell_completion", "experimental_rerun")
"""Flags at which Hydra shows something, or runs what it kept, and composes nothing new."""
KEPT = ("out=", "resume=", "debug=", "hydra.", "hydra/", "trust=", "+trust=")
"""Words that Hydra gets of a run that is resumed; the others change the run's own configuration."""
WORST = {"maximize": -math.inf, "minimize": math.inf}
"""What a job that came to nothing tells a sweeper that searches."""


def train_command(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    asked = flags(arguments)
    words: list[str] = asked.overrides
    search = search_path(asked)
    multirun, again = bool(asked.multirun), asks_to_resume(words)
    with Outcome(debug=False) as outcome:
        said, words = words, settled(with_runs(words, search))
        if multirun and again:
            words = SweepFolder.asked(words).words_to_resume(words)
        arguments = [*(word for word in arguments if word not in said), *words]
    if outcome.code:
        return outcome.code
    resumes = asks_to_resume(words)
    problems: list[BaseException] = []
    began = time.time()
    import_from_here()

    def job(cfg: DictConfig) -> float:
        context = HydraConfig.get()
        given: Any = Path(context.runtime.output_dir)
        said: Any = OmegaConf.to_container(context.overrides.task, resolve=False)
        lost = WORST.get(str(getattr(context.sweeper, "direction", "")), math.nan)
        run = RunFolder(given)
        try:
            config = plain(cfg, context.runtime.choices)
            if given == Path.cwd():  # Hydra would make a folder before anything is refused
                run = RunFolder(run_folder(config["out"], config["seed"], config["choices"]))
            sweep_folder = SweepFolder(run.path.parent)
            if multirun and again and sweep_folder.is_done(run):
                return objective(run.read_json("metrics"), lost)
            if multirun and sweep_folder.leaves_out(run, said, began, config["on_error"], problems):
                return lost
            if resumes:
                config = resumed_config(config["out"], words, config["trust"], search)
                said = words
            elif multirun and again and run.config.exists():
                config = resumed_config(str(run.path), [], config["trust"], search)
            check_config(config, TrainSettings, signature)
            with suppress(Unread):
                check_needs(config, attribute)
            from diffstn.runs.train import train

            return objective(train(config, run, said), lost)
        except (Exception, KeyboardInterrupt, Stopped) as error:  # Hydra would talk about it
            problems.append(error)
            if multirun:
                print(f"job failed: {run.path}: {error}", file=sys.stderr)
            return lost

    with Outcome("debug=true" in (word.lower() for word in words), words, search) as outcome:
        if not any(getattr(asked, name) for name in SHOWS):
            if multirun:
                added = check_jobs(words, search, again)
                words, arguments = [*words, *added], [*arguments, *added]
            else:
                check_words(words)
        kept = [word for word in words if word.startswith(KEPT)] if resumes else words
        sys.argv = [sys.argv[0], *(word for word in arguments if word not in words), *kept]
        os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to us as they are
        with failing_engine() if multirun else nullcontext():
            hydra.main(version_base="1.3", config_path=str(CONF.resolve()), config_name="train")(
                job
            )()
        if problems and not multirun:
            raise problems[0]
    return outcome.code or int(multirun and bool(problems or sweep.failures))


def objective(metrics: dict[str, Any], lost: float) -> float:
    """The number by which a sweeper compares jobs: the best of what the model monitors."""
    return next(iter(metrics.get("monitored", {}).values()), lost)
