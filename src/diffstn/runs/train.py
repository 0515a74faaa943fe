"""Train, evaluate, plot: one run in one folder."""

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import yaml

from diffstn.build import Built, build, load_model
from diffstn.callbacks.dashboards import check_loggers, dashboards, show_results
from diffstn.errors import UserError
from diffstn.figures.confusion import plot_confusions
from diffstn.figures.curves import training_curves
from diffstn.hardware import Hardware, choose_hardware
from diffstn.ranks import agreed, leave
from diffstn.report.write import end_with_report
from diffstn.runs.minutes import check_minutes, in_steps
from diffstn.runs.settings import TrainSettings
from diffstn.runs.trainer import check_optimisation, check_trainer, trainer_for
from diffstn.schema import check_config
from diffstn.store.bounded import no_larger_than, reason
from diffstn.store.carry_on import carry_on
from diffstn.store.checkpoints import evaluated_checkpoint
from diffstn.store.environment import environment
from diffstn.store.logs import quiet_libraries
from diffstn.store.one_writer import one_writer
from diffstn.store.protocol import protocol
from diffstn.store.recorded import recorded
from diffstn.store.run_folder import RunFolder, first_rank
from diffstn.store.self_contained import self_contained
from diffstn.store.stopping import Stopping, seconds
from diffstn.store.warm_start import warm_start
from diffstn.store.whole_files import FIRST, WholeFiles


def check(config: Mapping[str, Any]) -> Hardware:
    """Refuse what cannot work before anything is built; the hardware that is to be used.

    Raises:
        UserError: one line, with the remedy.
    """
    check_config(config, TrainSettings)
    check_trainer(config)
    check_minutes(config)
    check_loggers(config["logger"], config.get("callbacks") or {})
    return choose_hardware(config["trainer"]["accelerator"], config["trainer"]["precision"])


def seeded(config: Mapping[str, Any]) -> Built:
    """Data, model and task, whose random start follows from the seed.

    Raises:
        UserError: the model has nothing to learn, or the parts do not fit.
    """
    pl.seed_everything(config["seed"], verbose=False)
    built = build(config)
    if not any(p.requires_grad for p in built.model.parameters()):
        name = config["choices"]["model"]
        said = f"run: python sample.py model={name}, or evaluate.py"
        raise UserError(f"model={name} has nothing to train; {said}")
    built.task.check(built.model, built.data)
    check_optimisation(built.model, built.data, config["trainer"])
    return built


def train(config: dict[str, Any], run: RunFolder, words: Sequence[str] = ()) -> dict[str, Any]:
    """Train what `config` describes in the folder `run`; return the final metrics.

    Nothing is written before all that can be refused was refused.

    Args:
        config: a composed configuration, as plain containers.
        words: the overrides that made it.

    Raises:
        UserError: bad input; if work has begun, `status.json` says failed and `train.log` why.
    """
    quiet_libraries()
    hardware = check(config)
    if first_rank():
        run.claim(config["resume"])
    with Stopping(seconds(config["trainer"]["max_time"])) as stopping:
        with no_larger_than(run.path if config["resume"] else None):
            built = seeded(config)
        ckpt = None if config["resume"] else config["ckpt"]
        said = warm_start(built.model, ckpt, config.get("ckpt_parts")) if ckpt else ""
        with one_writer(run.path) if first_rank() else nullcontext():
            last = None
            if config["resume"]:
                last, said = carry_on(run, config, built.model)
            elif first_rank():
                run.claim(resume=False)  # somebody may have been faster
            with recorded(run) as log:
                if first_rank() and not config["resume"]:
                    run.write_overrides(words)
                prepare(built, hardware, run, log)
                if said:
                    log.info(said)
                if not config["resume"]:
                    config = in_steps(
                        config, hardware, lambda: seeded(config).model, built.data, log
                    )
                return trained(config, built, hardware, run, stopping, last, log)


def trained(
    config: dict[str, Any],
    built: Built,
    hardware: Hardware,
    run: RunFolder,
    stopping: Stopping,
    last: Path | None,
    log: Any,
) -> dict[str, Any]:
    """Train from the checkpoint `last`, evaluate and plot; return the final metrics."""
    model, data, task = built
    watching = task.callbacks(model, data, run.figures, hardware.autocast)
    facts = {**config, "resume": False, "environment": environment(hardware, config["seed"])}
    with dashboards(config["logger"], run, facts) as boards:
        config = begun(config, built, hardware, run)
        trainer, record, best = trainer_for(
            config, hardware, run, model, stopping, watching, boards
        )
        try:
            trainer.fit(model, datamodule=data, ckpt_path=last and str(last), weights_only=True)
        except SystemExit:  # what Lightning makes of a KeyboardInterrupt
            raise KeyboardInterrupt from None
        except Exception as error:  # whatever a checkpoint of another kind makes Lightning raise
            if last is None or stopping.has_trained or isinstance(error, UserError):
                raise
            raise UserError(f"{last} cannot be gone on from ({reason(error)})") from error
        spent = record.seconds  # without what comes now
        log.info("trained in %s", time.strftime("%H:%M:%S", time.gmtime(spent)))
        metrics: dict[str, Any] = {}
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            log.info("trainer.fast_dev_run keeps no weights: nothing to evaluate")
            leave()
        else:
            metrics, figures = evaluated(config, built, hardware, run, log)
        if metrics:
            metrics["train_seconds"] = round(spent, 1)
            if best is not None and best.best_model_score is not None:
                metrics["monitored"] = {best.monitor: float(best.best_model_score)}
            run.write_json("metrics", metrics)
            show_results(boards, metrics, figures, run.checkpoints)
    if metrics:
        for _, path in figures:
            log.info("wrote %s", path)
        log.info("\n%s", task.table(metrics))
        log.info("all of it: %s", run.path)
    run.status("done", **metrics.get("numbers", {}))
    if config["report"] and first_rank():
        end_with_report(run.path, log)
    return metrics


def prepare(built: Built, hardware: Hardware, run: RunFolder, log: Any) -> None:
    """Read the data.

    Raises:
        UserError: they cannot be read or do not suit the task.
    """
    model, data, task = built
    log.info("run folder: %s", run.path)
    log.info("hardware: %s", hardware.reason)
    data.setup()
    task.check(model, data)  # now that the data are there
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    log.info("%s: %.2f M trainable parameters", type(model).__name__, trainable / 1e6)


def begun(
    config: dict[str, Any], built: Built, hardware: Hardware, run: RunFolder
) -> dict[str, Any]:
    """Write what makes the folder a run; return the configuration that needs no other run.

    The weights come first: what of them is another run's cannot be built from the configuration.
    """
    if first_rank():
        if not config["resume"]:
            state = {"state_dict": built.model.state_dict()}
            WholeFiles().save_checkpoint(state, run.checkpoints / FIRST)
        config = self_contained(config)
        run.write("config.yaml", yaml.safe_dump({**config, "resume": False}, sort_keys=False))
        run.write_json("facts", built.data.facts.plain())
        run.write_json("environment", environment(hardware, config["seed"]))
    if config["compile"]:
        for part in built.model.children():
            part.compile()
    return config


def evaluated(
    config: Mapping[str, Any], built: Built, hardware: Hardware, run: RunFolder, log: Any
) -> tuple[dict[str, Any], list[tuple[str, Path]]]:
    """The numbers of the trained run with their protocol, and what was plotted.

    Processes share the measuring; the first one goes on alone, and the others have nothing to say.
    """
    agreed(True)  # the first one has written what it had to
    data, task = built.data, built.task
    checkpoint = evaluated_checkpoint(run, config)
    if checkpoint != config["evaluate"]["checkpoint"]:
        log.warning("no validation chose a best checkpoint: the last one is evaluated")
        config = {**config, "evaluate": {**config["evaluate"], "checkpoint": checkpoint}}
    model = load_model(run, config=config, facts=data.facts, trust=None).to(hardware.device)
    with torch.inference_mode(), hardware.autocast():
        metrics = task.measure(model, data, seed=0)
        leave()
        if not first_rank():
            return {}, []
        metrics["protocol"] = protocol(config, metrics, hardware)
        run.write_json("metrics", metrics)
        figures = task.plot(model, data, run.figures, seed=0)
        figures += plot_confusions(metrics, run.figures)
    if run.metrics_csv.exists():
        curves = training_curves(run.metrics_csv, run.figures / "curves.png")
        figures = [("curves", curves), *figures]
    return metrics, figures
