"""Trainings of so many seconds, which go on where they were stopped."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffstn.build import load_model
from diffstn.hardware import choose_hardware
from diffstn.store.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
AT_ONCE = 64
FEW = "task.features=pretrained/cifar_judge_77"
"""128 numbers: a covariance in the 256 of `cifar_judge` asks for more test images than a folder of
a thousand or two holds out.
"""


def trained(folder: Path, words: Sequence[str], seconds: float, steps: int = 0) -> RunFolder:
    """The run of these words in the folder, trained for about so long unless it was before.

    Its length in steps follows from the speed at the start, unless it is given, so that the
    learning rate falls to zero within it. What the training says stands in a file beside the
    folder.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    run = RunFolder(folder)
    if not (folder / "metrics.json").exists():
        again = ["resume=true"]
        if not run.config.exists():
            length = f"trainer.max_steps={steps}" if steps else f"minutes={seconds / 60}"
            again = [*words, length, "validate_every=1000000"]
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f"{folder.name}.log").open("a") as log:
            asked = [sys.executable, str(ROOT / "train.py"), *again, f"out={folder}"]
            subprocess.run([*asked, "report=false"], stdout=log, stderr=log, check=True)
    return run


def seconds_a_sample(folder: Path) -> float:
    """Of one image of a run's model, in batches; measured once and kept."""
    kept = folder / "seconds_a_sample.json"
    if not kept.exists():
        hardware = choose_hardware("auto", "auto")
        model: Any = load_model(str(folder)).to(hardware.device)
        with hardware.autocast():
            model.sample(AT_ONCE, batch_size=AT_ONCE)
            start = time.perf_counter()
            model.sample(AT_ONCE, batch_size=AT_ONCE)
        kept.write_text(json.dumps((time.perf_counter() - start) / AT_ONCE))
    return float(json.loads(kept.read_text()))


def words_of_images(data: str) -> list[str]:
    """MNIST's digits at 28 pixels, or the images of a folder at 64."""
    if data == "digits":
        return ["data=mnist"]
    return ["data=image_folder", "data.image_size=[64,64]", f"data.root={data}", FEW]
