"""The library's door: what train.py, sample.py and evaluate.py do, for Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import nn

from diffstn.build import load_model
from diffstn.cli.chosen_runs import with_runs
from diffstn.cli.conf import import_from_here, training_config
from diffstn.cli.jobs import check_words
from diffstn.cli.refusals import refused
from diffstn.errors import Stopped
from diffstn.store.names import run_folder
from diffstn.store.run_folder import RunFolder


class Trained(NamedTuple):
    """A training that has ended."""

    model: Any
    """In evaluation mode, with the weights that were evaluated."""
    metrics: dict[str, Any]
    """Content of the run's `metrics.json`."""
    path: Path
    """The run's folder."""


def load(
    run: str | Path,
    *,
    checkpoint: str | None = None,
    weights: str | None = None,
    device: torch.device | str = "cpu",
    trust: Sequence[str] = (),
) -> Any:
    """The trained model of a run, in evaluation mode.

    Models answer by what they are for: `correct(images)`, `classify(images)`, `sample(n)`.

    Args:
        run: its folder, or `pretrained/NAME` for one that ships with the package.
        checkpoint: `best` or `last`; None as the run says.
        weights: `ema` (the moving average) or `raw`; None as the run says.
        device: where the model goes.
        trust: packages besides ours whose classes the run may ask for.

    Raises:
        UserError: there is no such run, or it is not trusted; the message says what to do.
    """
    import_from_here()
    model: pl.LightningModule = load_model(
        str(run), checkpoint=checkpoint, weights=weights, trust=trust
    )
    return model.to(device)


def wrap(
    classifier: nn.Module, corrector: Any, hypotheses: int | None = None, seed: int = 0
) -> nn.Module:
    """A classifier that turns images upright before it reads them, see `UprightFirst`.

    Args:
        classifier: of upright images (B, C, h, w) in [0, 1], of any size and any classes; what it
            normalises by belongs inside.
        corrector: as `load` gives it, or a name to load.
        hypotheses: poses sampled for each image; None: the corrector's own number.
        seed: of the poses.

    Raises:
        UserError: that model corrects no images.
    """
    from diffstn.models.upright_first import UprightFirst

    model = load(corrector) if isinstance(corrector, str | Path) else corrector
    return UprightFirst(classifier, model, hypotheses, seed)


def compose(overrides: Sequence[str] = (), config_dir: str | Path | None = None) -> dict[str, Any]:
    """The configuration that `python train.py OVERRIDES` would run with, as plain containers.

    Args:
        overrides: words as on the command line.
        config_dir: a further folder of configurations.

    Raises:
        UserError: a word is wrong; the message names the nearest right one.
    """
    import_from_here()
    search = [str(config_dir)] if config_dir else []
    words = with_runs(overrides, search)
    check_words(words)
    with refused(words, search):
        return training_config(words, search)


def train(
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    config_dir: str | Path | None = None,
) -> Trained:
    """Train, evaluate and plot, as `python train.py OVERRIDES` does.

    Args:
        overrides: words as on the command line.
        out: the run's folder; None: a new one below runs/.
        config_dir: a further folder of configurations.

    Raises:
        UserError: bad input; the message says what to do.
        KeyboardInterrupt: a signal stopped it, or `trainer.max_time`; it can be resumed.
    """
    from diffstn.runs.train import train as train_run

    search = [str(config_dir)] if config_dir else []
    words = with_runs([*overrides, *([f"out='{out}'"] if out else [])], search)
    config = compose(words, config_dir)
    run = RunFolder(run_folder(config["out"], config["seed"], config["choices"]))
    with refused(words, search):
        try:
            metrics = train_run(config, run, words)
        except Stopped as stopped:
            raise KeyboardInterrupt(stopped.why) from None
    return Trained(load_model(run, trust=None), metrics, run.path)
