"""Dashboards beside `metrics.csv`."""

from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffstn.errors import UserError
from diffstn.runs.folder import RunFolder

LOGGERS = ("csv", "wandb", "tensorboard")


@contextmanager
def dashboard(settings: Mapping[str, Any], run: RunFolder, config: dict[str, Any]) -> Any:
    """A Lightning logger, or False for `logger=csv`; W&B runs are finished whatever happens.

    A resumed run continues its W&B run, whose id is kept in the run's folder.

    Raises:
        UserError: the logger's package is not installed, or its name is unknown.
    """
    name = settings["name"]
    if name not in LOGGERS:
        raise UserError(f"logger.name={name}: choose {', '.join(LOGGERS)}")
    if name == "csv":
        yield False
    elif name == "tensorboard":
        try:
            import tensorboard  # noqa: F401
        except ImportError:
            raise UserError(
                "logger=tensorboard needs: pip install 'diffstn[tensorboard]'"
            ) from None
        from pytorch_lightning.loggers import TensorBoardLogger

        yield TensorBoardLogger(run.path, name="tensorboard", version="")
    else:
        try:
            import wandb
        except ImportError:
            raise UserError("logger=wandb needs: pip install 'diffstn[wandb]'") from None
        from pytorch_lightning.loggers import WandbLogger

        logger = WandbLogger(
            project=settings["project"],
            name=run.path.name,
            id=run.read_json("wandb").get("id"),
            save_dir=run.path,
            offline=bool(settings["offline"]),
            config=config,
        )
        try:
            run.write_json("wandb", {"id": logger.experiment.id})
            yield logger
        finally:
            wandb.finish()


def log_picture(logger: Any, name: str, path: Path, step: int) -> None:
    """Show a saved picture on the dashboard; GIFs go to W&B only."""
    if not logger:
        return
    kind = type(logger).__name__
    if kind == "WandbLogger":
        import wandb

        shown = wandb.Video(str(path), format="gif") if path.suffix == ".gif" else None
        logger.experiment.log({name: shown or wandb.Image(str(path))})
    elif path.suffix != ".gif":
        import numpy as np
        from PIL import Image

        picture = np.asarray(Image.open(path).convert("RGB"))
        logger.experiment.add_image(name, picture, step, dataformats="HWC")
