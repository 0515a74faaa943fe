"""Train, evaluate, draw: one run in one folder."""

import gc
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning.callbacks import ModelCheckpoint

from diffstn.build.hardware import choose_hardware, environment
from diffstn.callbacks.ema import EMA
from diffstn.callbacks.metrics_csv import MetricsCSV
from diffstn.callbacks.non_finite import StopOnNonFiniteLoss
from diffstn.callbacks.progress import Progress
from diffstn.callbacks.reseed import ReseedEachEpoch
from diffstn.errors import UserError
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.runs.assembly import Assembly, evaluated_weights
from diffstn.runs.checks import idle_groups, without_effect
from diffstn.runs.evaluation import evaluate
from diffstn.runs.image_generation import check_generation
from diffstn.runs.images import draw_run
from diffstn.runs.loggers import dashboard, log_image
from diffstn.runs.logs import LogFile, quiet_libraries
from diffstn.runs.tables import headline, result_table
from diffstn.runs.watching import fid_tracker, sample_sheet
from diffstn.store.run_folder import RunFolder, first_rank, open_run


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


def train(config: dict[str, Any], run: RunFolder, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Train what `config` describes in the folder `run`; return the final metrics.

    Raises:
        UserError: bad input; `status.json` says failed and `train.log` why.
    """
    quiet_libraries()
    if first_rank():
        claim_folder(run, config["resume"])
    with LogFile(run.log) as log:
        try:
            run.status("running")
            metrics = _train(config, run, overrides, log)
            run.status("done", **(headline(metrics) if metrics else {}))
            return metrics
        except KeyboardInterrupt:
            run.status(
                "interrupted",
                error="interrupted",
                resume=f"python train.py ... out={run.path} resume=true",
            )
            raise
        except Exception as error:
            run.status("failed", error=str(error).splitlines()[0] if str(error) else repr(error))
            log.error(traceback.format_exc())
            raise
        finally:
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


def _train(
    config: dict[str, Any], run: RunFolder, overrides: Sequence[str], log: Any
) -> dict[str, Any]:
    if not config["resume"] and first_rank():
        run.write_overrides(overrides)
    hardware = choose_hardware(**config["accelerator"])
    log.info("run folder: %s", run.path)
    log.info("hardware: %s", hardware.reason)
    for word in without_effect(config, overrides):
        log.warning(
            "%s has no effect: model=%s makes no use of it", word, config["choices"]["model"]
        )

    pl.seed_everything(config["seed"], verbose=False)
    assembly = Assembly(config)
    if config["resume"]:
        assembly.keep_judge_of(run)
    data, model = assembly.data, assembly.model
    data.setup()
    if isinstance(model, DiffusionModel) and data.kind == "upright":
        check_generation(data, config["evaluate"])
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    log.info("%s: %.2f M trainable parameters", type(model).__name__, trainable / 1e6)

    ema = config["ema_decay"]
    averaging = [EMA(ema)] if ema else []
    record = MetricsCSV(run.metrics_csv)
    if first_rank():  # from here on the folder holds a run
        stored = {**config, "resume": False}
        run.write("config.yaml", yaml.safe_dump(stored, sort_keys=False))
        run.write_json("environment", environment(hardware, config["seed"]))
        frozen = config["classifier"]["mode"] == "frozen"
        if frozen and not config["resume"] and "classifier" not in idle_groups(config):
            run.judge.write_text(open_run(config["classifier"]["run"]).config.read_text())
    watching: list[pl.Callback] = []
    if isinstance(model, DiffusionModel):
        watching.append(sample_sheet(model, data, run.figures / "training.png", hardware))
        if data.kind == "upright" and config["evaluate"].get("track"):
            watching.append(fid_tracker(data, config["evaluate"], hardware))
    best = ModelCheckpoint(
        run.checkpoints,
        "best",
        monitor=model.monitor[0],
        mode=model.monitor[1],
        enable_version_counter=False,
    )
    with dashboard(config["logger"], run, config) as logger:
        trainer = pl.Trainer(
            max_epochs=config["epochs"],
            check_val_every_n_epoch=min(config["validate_every"], config["epochs"]),
            accelerator=hardware.accelerator,
            devices=hardware.devices,
            strategy=hardware.strategy,
            precision=hardware.precision,  # type: ignore[arg-type]
            logger=logger,
            callbacks=[
                ReseedEachEpoch(config["seed"]),
                StopOnNonFiniteLoss(),
                *averaging,
                *watching,
                record,
                Progress(),
                best,
                ModelCheckpoint(
                    run.checkpoints,
                    "last",
                    save_on_train_epoch_end=True,
                    enable_version_counter=False,
                ),
            ],
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            default_root_dir=run.path,
        )
        resume_from = str(run.checkpoints / "last.ckpt") if config["resume"] else None
        with interruptible():
            trainer.fit(model, datamodule=data, ckpt_path=resume_from, weights_only=True)
        seconds = record.seconds
        leave_process_group()
        if not trainer.is_global_zero:
            return {}
        log.info("trained in %s", time.strftime("%H:%M:%S", time.gmtime(seconds)))

        trained = Assembly.from_run(run, config=config, data=data)
        metrics = final_metrics(config, trained, hardware, seconds)
        run.write_json("metrics", metrics)
        if logger:
            numbers = {f"test/{name}": value for name, value in headline(metrics).items()}
            logger.log_metrics(numbers, trainer.global_step)
        for name, path in draw_run(trained, hardware, run.figures, metrics_csv=run.metrics_csv):
            log_image(logger, name, path, trainer.global_step)
            log.info("wrote %s", path)
    log.info("\n%s", result_table(metrics))
    log.info("all of it: %s", run.path)
    return metrics


def leave_process_group() -> None:
    """From here on every process is on its own: the first one evaluates and draws, the others end.

    Metrics would otherwise wait for processes that have gone.
    """
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


def final_metrics(
    config: Mapping[str, Any], trained: Assembly, hardware: Any, seconds: float
) -> dict[str, Any]:
    """Test numbers with the protocol that they were measured by."""
    settings = config["evaluate"]
    counts = sorted({config["sampler"]["hypotheses"], *settings["hypotheses"]})
    numbers = evaluate(
        trained.model,
        trained.data,
        hardware,
        hypotheses=counts,
        limit=settings["limit"],
        seed=0,
        samples=settings["samples"],
        distance=settings["distance"],
        features=settings.get("features"),
        inception_weights=settings.get("inception_weights"),
        likelihood=settings.get("likelihood", 0),
    )
    return {
        **numbers,
        "train_seconds": round(seconds, 1),
        "protocol": protocol(config, numbers, hardware, "test"),
    }


def protocol(
    config: Mapping[str, Any], numbers: Mapping[str, Any], hardware: Any, split: str
) -> dict[str, Any]:
    """How numbers came about."""
    counted = (
        *("images", "samples", "against", "distance", "normalisation"),
        *("real", "occupancy over", "features"),
    )
    sampler = {k: v for k, v in config["sampler"].items() if k != "hypotheses"}
    return {
        **config["choices"],
        **({} if "against" in numbers else {"split": split}),
        **{name: numbers[name] for name in counted if name in numbers},
        "epochs": config["epochs"],
        "seed": config["seed"],
        "weights": evaluated_weights(config),
        "checkpoint": config["evaluate"]["checkpoint"],
        "sampler_settings": sampler,
        "hardware": hardware.reason,
    }
