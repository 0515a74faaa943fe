"""Dashboards beside `metrics.csv`."""

from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffstn.store.run_folder import RunFolder, first_rank

LOGGERS = ("csv", "wandb", "tensorboard")


@contextmanager
def dashboard(settings: Mapping[str, Any], run: RunFolder, config: dict[str, Any]) -> Any:
    """A Lightning logger, or False for `logger=csv`; W&B runs are finished whatever happens.

    A resumed run continues its W&B run, whose id is kept in the run's folder.
    """
    name = settings["name"]
    if name == "csv":
        yield False
    elif name == "tensorboard":
        from pytorch_lightning.loggers import TensorBoardLogger

        yield TensorBoardLogger(run.path, name="tensorboard", version="")
    else:
        import wandb
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
            if first_rank():
                run.write_json("wandb", {"id": logger.experiment.id})
            yield logger
        finally:
            wandb.finish()


def log_image(logger: Any, name: str, path: Path, step: int) -> None:
    """Show a saved image on the dashboard; GIFs go to W&B only."""
    if not logger:
        return
    kind = type(logger).__name__
    if kind == "WandbLogger":
        import wandb

        shown = wandb.Video(str(path), format="gif") if path.suffix == ".gif" else None
        entry = {name: shown or wandb.Image(str(path)), "trainer/global_step": step}
        logger.experiment.log(entry)
    elif path.suffix != ".gif":
        import numpy as np
        from PIL import Image

        image = np.asarray(Image.open(path).convert("RGB"))
        logger.experiment.add_image(name, image, step, dataformats="HWC")
