"""The length of a training in minutes, as what it comes to in steps on this machine."""

import gc
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytorch_lightning as pl
import torch

from diffstn.callbacks.clock import Clock
from diffstn.callbacks.ema import EMA
from diffstn.errors import UserError
from diffstn.hardware import Hardware

LONG = 10**9
"""Steps that nobody takes: rates that follow the progress want an end."""
ALSO = (
    *("accumulate_grad_batches", "gradient_clip_val", "gradient_clip_algorithm"),
    *("devices", "num_nodes", "strategy", "limit_train_batches", "overfit_batches"),
    *("deterministic", "benchmark", "detect_anomaly"),
)
"""Arguments of the Trainer that a batch's time may depend on."""


def timed(
    config: Mapping[str, Any],
    hardware: Hardware,
    model: pl.LightningModule,
    data: pl.LightningDataModule,
) -> tuple[Clock, pl.Trainer]:
    """Train a model for a few batches, as a run would, with a clock beside it.

    Where several processes would train, nothing is trained.
    """
    settings, clock = config["trainer"], Clock()
    averages = [EMA(config["ema_decay"])] if config["ema_decay"] else []
    trainer = pl.Trainer(
        accelerator=hardware.accelerator,
        precision=hardware.precision,  # type: ignore[arg-type]
        **{name: settings[name] for name in ALSO if settings.get(name) is not None},
        max_epochs=-1,
        max_steps=LONG,
        limit_val_batches=0,
        callbacks=[*averages, clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    if trainer.world_size == 1:
        if config["compile"]:
            for part in model.children():
                part.compile()
        trainer.fit(model, datamodule=data)
    return clock, trainer


def steps_in(
    minutes: float,
    config: Mapping[str, Any],
    hardware: Hardware,
    build: Callable[[], pl.LightningModule],
    data: pl.LightningDataModule,
) -> int:
    """How many steps, of all optimisers together, are a training of so many minutes.

    A few batches of a model that is thrown away are timed; validation comes on top.

    Args:
        build: the model.
        data: that it will learn from.

    Raises:
        UserError: several processes would train.
    """
    model = build()
    clock, trainer = timed(config, hardware, model, data)
    if trainer.world_size > 1:
        raise UserError(
            f"minutes={minutes:g}: the steps of {trainer.world_size} processes cannot be timed"
            " beforehand; pass trainer.max_steps=, or epochs="
        )
    batches = max(1, round(60 * minutes / clock.seconds()))
    if model.automatic_optimization:
        return max(1, round(batches / trainer.accumulate_grad_batches))
    return max(1, round(batches * trainer.global_step / len(clock.times)))


def in_steps(
    config: dict[str, Any],
    hardware: Hardware,
    build: Callable[[], pl.LightningModule],
    data: pl.LightningDataModule,
    log: logging.Logger,
) -> dict[str, Any]:
    """The configuration with `trainer.max_steps` for its `minutes`, if it has any."""
    minutes = config.get("minutes")
    if minutes is None:
        return config
    length = steps_in(minutes, config, hardware, build, data)
    gc.collect()  # model and trainer know one another
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    log.info("minutes=%g: %d steps on this machine", minutes, length)
    return {**config, "trainer": {**config["trainer"], "max_steps": length}}


def check_minutes(config: Mapping[str, Any]) -> None:
    """Refuse two lengths of one training.

    Raises:
        UserError: the length is given in steps, too, or is not positive.
    """
    minutes, settings = config.get("minutes"), config["trainer"]
    if minutes is None or config["resume"]:
        return
    if minutes <= 0:
        raise UserError(f"minutes={minutes:g}: must be positive")
    if settings["max_steps"] > 0:
        raise UserError(
            f"minutes={minutes:g} and trainer.max_steps={settings['max_steps']} both say how long:"
            " leave one out"
        )
    if settings.get("fast_dev_run"):
        raise UserError(f"minutes={minutes:g}: trainer.fast_dev_run trains a few batches only")
