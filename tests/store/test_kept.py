"""A model without training as a run."""

import json
from pathlib import Path

import pytest
import torch

import diffstn
from diffstn.cli.of_a_run import run_command
from diffstn.errors import UserError
from diffstn.store.kept import keeping


def test_a_model_that_learns_nothing_is_kept_and_opened_again(workplace: Path):
    words = ["model=pose_search", "data/distortion=rotation", "model.angles=6", "model.rounds=1"]
    words += ["accelerator=cpu", "task.limit=10"]
    assert run_command("evaluate", [*words, "keep=search"]) == 0
    assert Path("search/overrides.txt").read_text().split() == words
    status = json.loads(Path("search/status.json").read_text())
    assert (status["state"], "oracle" in status) == ("done", True)
    model = diffstn.load("search")
    assert (model.angles, model.rounds) == (6, 1)
    assert model.correct(torch.zeros(28, 28)).images.shape == (1, 28, 28)
    assert not model.classifier.brought_weights  # they are its own


def test_what_cannot_be_kept_is_refused_before_anything_is_measured(tmp_path: Path):
    keeping(None, trained=True)(None, None, {}, {})  # nobody asked
    with pytest.raises(UserError, match="keep=x is for a model that has nothing to learn"):
        keeping("x", trained=True)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "config.yaml").write_text("seed: 1\n")
    with pytest.raises(UserError, match=r"no place for a new run; choose another folder"):
        keeping(str(taken), trained=False)
