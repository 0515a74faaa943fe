"""A new run from old weights."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from diffstn.errors import UserError
from diffstn.store.checkpoints import trained_weights
from diffstn.store.run_folder import RunFolder
from diffstn.store.warm_start import warm_start


def test_weights_of_the_same_name_and_shape_are_taken_over(tmp_path: Path):
    old = torch.nn.ModuleDict({"body": torch.nn.Linear(3, 4), "head": torch.nn.Linear(4, 10)})
    torch.save({"state_dict": old.state_dict()}, tmp_path / "old.ckpt")
    new = torch.nn.ModuleDict({"body": torch.nn.Linear(3, 4), "head": torch.nn.Linear(4, 5)})
    kept = new["head"].weight.clone()
    said = warm_start(new, str(tmp_path / "old.ckpt"))
    assert torch.equal(new["body"].weight, old["body"].weight)
    assert torch.equal(new["head"].weight, kept)
    assert "2 of 4 tensors; new: head.bias, head.weight" in said
    with pytest.raises(UserError, match="none of its weights fit"):
        warm_start(torch.nn.Linear(7, 7), str(tmp_path / "old.ckpt"))
    (tmp_path / "no.ckpt").write_bytes(b"nothing")
    with pytest.raises(UserError, match="is no checkpoint"):
        warm_start(new, str(tmp_path / "no.ckpt"))


def test_parts_are_taken_over_under_the_names_they_have_here(tmp_path: Path):
    def linear() -> torch.nn.Linear:
        return torch.nn.Linear(3, 3)

    old = torch.nn.ModuleDict({"network": torch.nn.ModuleDict({"eye": linear()}), "head": linear()})
    torch.save({"state_dict": old.state_dict()}, tmp_path / "old.ckpt")
    new = torch.nn.ModuleDict({"eye": linear(), "head": linear()})
    kept = new["head"].weight.clone()
    said = warm_start(new, str(tmp_path / "old.ckpt"), {"network.eye": "eye"})
    assert torch.equal(new["eye"].weight, old["network"]["eye"].weight)
    assert torch.equal(new["head"].weight, kept)
    assert "2 of 4 tensors; new: head.bias, head.weight" in said
    with pytest.raises(UserError, match=r"there is no ear; there are head, network\.eye"):
        warm_start(new, str(tmp_path / "old.ckpt"), {"ear": "eye"})


def test_a_run_is_fine_tuned_on_other_data(train: Callable[..., int]):
    assert train("model=stn", "out=old") == 0
    words = ["model=stn", "ckpt=old", "data/distortion=full", "optimizer.lr=1e-9", "out=new"]
    assert train(*words) == 0
    old, new = (trained_weights(RunFolder(name), "last", "raw") for name in ("old", "new"))
    start = trained_weights(RunFolder("old"))
    assert all(torch.allclose(new[k], v, atol=1e-5) for k, v in start.items() if "running" not in k)
    assert "started from old: " in Path("new/train.log").read_text()
    assert old.keys() == new.keys()
