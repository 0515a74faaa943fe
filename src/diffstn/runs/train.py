"""Train, evaluate, plot: one run in one folder."""

import gc
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import yaml

from diffstn.build import Built, build, load_model
from diffstn.build.checks import check_config
from diffstn.callbacks.dashboards import check_loggers, dashboards, show_results
from diffstn.errors import UserError
from diffstn.figures.curves import training_curves
from diffstn.hardware import Hardware, choose_hardware
from diffstn.runs.settings import TrainSettings
from diffstn.runs.trainer import check_trainer, trainer_for
from diffstn.store.environment import environment
from diffstn.store.logs import LogFile, quiet_libraries
from diffstn.store.protocol import protocol
from diffstn.store.run_folder import RunFolder, first_rank
from diffstn.store.self_contained import self_contained
from diffstn.store.warm_start import warm_start


def check(config: Mapping[str, Any]) -> Hardware:
    """Refuse what cannot work before anything is built; the hardware that is to be used.

    Raises:
        UserError: one line, with the remedy.
    """
    check_config(config, TrainSettings)
    check_trainer(config)
    check_loggers(config["logger"])
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
        raise UserError(f"model={name} has nothing to train; run: python sample.py model={name}")
    built.task.check(built.model, built.data)
    return built


def claim_folder(run: RunFolder, resume: bool) -> None:
    """Make sure that nothing is overwritten.

    Raises:
        UserError: the folder holds a run and `resume` is not set, or it is to be resumed and there
            is no checkpoint.
    """
    if resume:
        if not (run.checkpoints / "last.ckpt").exists():
            raise UserError(
                f"resume=true: {run.checkpoints / 'last.ckpt'} does not exist; pass"
                " out=<folder of the run to resume>"
            )
    elif run.config.exists():
        raise UserError(f"{run.path} holds a run already; choose another out=, or resume=true")


@contextmanager
def recorded(run: RunFolder) -> Iterator[Any]:
    """Within this context `train.log` keeps what is said and `status.json` how it ends."""
    with LogFile(run.log) as log:
        try:
            run.status("running")
            yield log
        except KeyboardInterrupt:
            how = f"python train.py ... out={run.path} resume=true"
            run.status("interrupted", error="interrupted", resume=how)
            raise
        except Exception as error:
            run.status("failed", error=str(error).splitlines()[0] if str(error) else repr(error))
            log.error(traceback.format_exc())
            raise
        finally:
            gc.collect()
            torch.cuda.empty_cache()


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
        claim_folder(run, config["resume"])
    built = seeded(config)
    with recorded(run) as log:
        model, data, task = built
        if first_rank() and not config["resume"]:
            run.write_overrides(words)
        config = begun(config, built, hardware, run, log)
        watching = task.callbacks(model, data, run.figures, hardware.autocast)
        with dashboards(config["logger"], run, config) as loggers:
            trainer, record, best = trainer_for(config, hardware, run, model, watching, loggers)
            last = str(run.checkpoints / "last.ckpt") if config["resume"] else None
            with interruptible():
                trainer.fit(model, datamodule=data, ckpt_path=last, weights_only=True)
            leave_process_group()
            metrics: dict[str, Any] = {}
            if trainer.is_global_zero:
                log.info("trained in %s", time.strftime("%H:%M:%S", time.gmtime(record.seconds)))
                if trainer.fast_dev_run:  # type: ignore[attr-defined]
                    log.info("trainer.fast_dev_run keeps no weights: nothing to evaluate")
                else:
                    metrics, figures = evaluated(config, built, hardware, run, log)
                    metrics["train_seconds"] = round(record.seconds, 1)
                    if best is not None and best.best_model_score is not None:
                        metrics["monitored"] = {best.monitor: float(best.best_model_score)}
                    run.write_json("metrics", metrics)
                    show_results(loggers, metrics, figures, trainer.global_step)
        if metrics:
            for _, path in figures:
                log.info("wrote %s", path)
            log.info("\n%s", task.table(metrics))
            log.info("all of it: %s", run.path)
        run.status("done", **metrics.get("numbers", {}))
    return metrics


def begun(
    config: dict[str, Any], built: Built, hardware: Hardware, run: RunFolder, log: Any
) -> dict[str, Any]:
    """Read the data and old weights, and write what makes the folder a run; the configuration.

    Raises:
        UserError: the data cannot be read or do not suit the task, or the weights do not fit.
    """
    model, data, task = built
    log.info("run folder: %s", run.path)
    log.info("hardware: %s", hardware.reason)
    data.setup()
    task.check(model, data)  # now that the data are there
    if config["ckpt"] and not config["resume"]:
        log.info(warm_start(model, config["ckpt"]))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    log.info("%s: %.2f M trainable parameters", type(model).__name__, trainable / 1e6)
    if first_rank():  # from here on the folder holds a run
        config = self_contained(config)
        run.write("config.yaml", yaml.safe_dump({**config, "resume": False}, sort_keys=False))
        run.write_json("facts", data.facts.plain())
        run.write_json("environment", environment(hardware, config["seed"]))
    if config["compile"]:
        for part in model.children():
            part.compile()
    return config


def evaluated(
    config: Mapping[str, Any], built: Built, hardware: Hardware, run: RunFolder, log: Any
) -> tuple[dict[str, Any], list[tuple[str, Path]]]:
    """The numbers of the trained run with their protocol, and what was plotted."""
    data, task = built.data, built.task
    checkpoint = config["evaluate"]["checkpoint"]
    if not (run.checkpoints / f"{checkpoint}.ckpt").exists():
        log.warning("no validation chose a best checkpoint: the last one is evaluated")
        config = {**config, "evaluate": {**config["evaluate"], "checkpoint": "last"}}
    model = load_model(run, config=config, facts=data.facts, trust=None).to(hardware.device)
    with torch.inference_mode(), hardware.autocast():
        metrics = task.measure(model, data, seed=0)
        metrics["protocol"] = protocol(config, metrics, hardware)
        run.write_json("metrics", metrics)
        figures = task.plot(model, data, run.figures, seed=0)
    if run.metrics_csv.exists():
        curves = training_curves(run.metrics_csv, run.figures / "curves.png")
        figures = [("curves", curves), *figures]
    return metrics, figures


def leave_process_group() -> None:
    """From here on the first process works alone; metrics wait for none that has gone."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


@contextmanager
def interruptible() -> Iterator[None]:
    """Within this context, Ctrl-C raises KeyboardInterrupt and keeps doing so.

    Lightning turns it into SystemExit and ignores the signal from then on.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
