"""The few images that are watched while a model learns."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from diffstn.build import Built
from diffstn.figures.pose_panel import ROSE
from diffstn.tasks.correct import Correct
from diffstn.tasks.task import Precision


def drawn(parts: Built, path: Path, count: int = 5) -> Any:
    """The page that the callback of a task draws."""
    from contextlib import nullcontext

    none: Precision = nullcontext
    parts.data.setup()
    [sheet] = type(parts.task)(watch=count).callbacks(parts.model, parts.data, path, none)
    trainer: Any = SimpleNamespace(
        global_step=7, optimizers=[0], is_global_zero=True, sanity_checking=False
    )
    sheet.on_validation_epoch_end(trainer, parts.model.eval())
    return np.asarray(Image.open(path / "steps" / "poses" / "00000007.png")).astype(int)


@pytest.mark.parametrize(
    ("words", "roses"),
    [
        (["model=diff_in_stn", "network.width=32", "sampler.steps=2"], True),
        (["model=stn"], False),
        (["model=stn", "model.transformation=projective", "data/distortion=projective"], False),
    ],
)
def test_only_sampled_affine_poses_have_roses(
    built: Callable[..., Built], tmp_path: Path, words: list[str], roses: bool
):
    first = drawn(built(*words), tmp_path / "a")
    assert (first.shape[0] > 3 * 84 + ROSE) is roses
    torch.manual_seed(5)  # the model is built anew with the same seed, the noise is the figure's
    assert np.array_equal(drawn(built(*words), tmp_path / "b"), first)


def test_redrawn_images_are_watched_too(built: Callable[..., Built], tmp_path: Path):
    small = ["network.width=8", "network.blocks=1", "network.head_features=8", "sampler.steps=2"]
    page = drawn(built("model=stn_in_diff", *small, tiny=False), tmp_path, count=2)
    assert page.shape[1] < 500


def test_none_are_watched_if_none_are_asked_for():
    assert Correct(watch=0).callbacks(None, None, Path(), None) == []  # type: ignore[arg-type]
