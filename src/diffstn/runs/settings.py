"""What every run can be told, whatever its model: schemas of conf/{train,sample,evaluate}.yaml."""

from dataclasses import dataclass
from typing import Annotated, Any

from diffstn.annotations import AtLeast, AtMost, Count, OneOf, Share

Seed = Annotated[int, AtLeast(0), AtMost(2**32 - 1)]
Weights = Annotated[str, OneOf(("ema", "raw"))]
Checkpoint = Annotated[str, OneOf(("best", "last"))]


@dataclass(frozen=True)
class Evaluate:
    """Which weights the evaluation at the end of a training uses."""

    weights: Weights
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Checkpointing:
    """When a training writes its state beside every epoch's end."""

    minutes: Annotated[float, AtLeast(0)]


@dataclass(frozen=True)
class TrainSettings:
    """Of train.py; what else stands in a configuration is the model's."""

    data: Any
    model: Any
    task: Any
    trainer: dict[str, Any]
    logger: dict[str, Any]
    callbacks: dict[str, Any]
    choices: dict[str, Any]
    evaluate: Evaluate
    checkpoint: Checkpointing
    seed: Seed
    epochs: Count
    minutes: float | None
    validate_every: Count
    ema_decay: Share
    compile: bool
    out: str | None
    resume: bool
    ckpt: str | None
    ckpt_parts: dict[str, str] | None
    trust: list[str]
    report: bool
    debug: bool
    on_error: Annotated[str, OneOf(("continue", "stop"))]


@dataclass(frozen=True)
class EvaluateSettings:
    """Of evaluate.py."""

    run: str | None
    out: str | None
    checkpoint: Checkpoint | None
    weights: Weights | None
    seed: Seed
    trust: list[str]
    debug: bool
    keep: str | None


@dataclass(frozen=True)
class SampleSettings(EvaluateSettings):
    """Of sample.py, which keeps samples and not what made them."""

    save: Annotated[str, OneOf(("png", "npz"))] | None
    n: Count
    figures: bool
