"""A stranger's files are read within bounds, and run nothing."""

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from diffstn.errors import UserError
from diffstn.store.bounded import (
    check_plain,
    identities,
    no_larger_than,
    read_checkpoint,
    read_safetensors,
    read_yaml,
    state_of,
)


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def test_a_run_may_hold_files_folders_and_links_within(tmp_path: Path):
    run, outside = tmp_path / "run", tmp_path / "outside"
    (run / "checkpoints").mkdir(parents=True)
    outside.mkdir()
    (run / "latest").symlink_to("checkpoints")
    check_plain(run)
    check_plain(tmp_path / "none")
    (tmp_path / "alias").symlink_to(run)
    check_plain(tmp_path / "alias")
    (run / "checkpoints" / "last.ckpt.part").symlink_to(outside / "x")
    with pytest.raises(UserError, match=r"last.ckpt.part leads to .*outside/x, outside of its run"):
        check_plain(run)
    (run / "checkpoints" / "last.ckpt.part").unlink()
    os.mkfifo(run / "status.json")
    with pytest.raises(UserError, match=r"status.json is no file but a pipe"):
        check_plain(run)


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "a: 2020-01-01", "2020-01-01: a", "a: &a {b: *a}", "a: !!python/name:os.system x"],
)
def test_yaml_that_is_no_configuration_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"."):
        read_yaml(path)
    path.write_text("a: {b: [1, x, null, true, 0.5]}")
    assert read_yaml(path) == {"a": {"b": [1, "x", None, True, 0.5]}}


def test_checkpoints_are_tensors_and_containers(tmp_path: Path):
    content = {"state_dict": {"a": torch.arange(6.0).view(2, 3)}, "n": [1, {"b": None}]}
    found = read_checkpoint(saved(tmp_path / "a.ckpt", content))
    assert found["n"] == content["n"]
    assert torch.equal(state_of(found)["a"], content["state_dict"]["a"])
    (tmp_path / "b.ckpt").write_bytes(pickle.dumps(os.getcwd))
    for path in (tmp_path / "b.ckpt", tmp_path / "none", saved(tmp_path / "c.ckpt", [1])):
        with pytest.raises(ValueError, match=r"^[^\n]{3,120}$"):
            read_checkpoint(path)


def test_a_compressed_checkpoint_is_none_of_torch(tmp_path: Path):
    path = saved(tmp_path / "a.ckpt", {"a": 1})
    packed = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(packed, "w", 8) as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name))
    path.write_bytes(packed.getvalue())
    with pytest.raises(ValueError, match="it is compressed"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.zeros(1).as_strided((2**40,), (0,)),
        lambda: torch.zeros(2**40, device="meta"),
        lambda: torch.eye(3).to_sparse(),
        lambda: torch.zeros(1, dtype=torch.complex64),
        lambda: "text",
    ],
)
def test_weights_are_as_large_as_they_say(make: Callable[[], Any]):
    with pytest.raises(ValueError, match=r"layer.a in its state_dict is no plain tensor"):
        state_of({"state_dict": {"good": torch.ones(2), "layer.a": make()}})


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, {"state_dict": "x"}])
def test_a_checkpoint_without_weights_has_none(content: dict[str, Any]):
    with pytest.raises(ValueError, match="it holds no state_dict"):
        state_of(content)


def test_safetensors_that_are_damaged_are_refused_in_a_line(tmp_path: Path):
    path = tmp_path / "w.safetensors"
    for content in (b"", b"\xff" * 100, b"\x02\0\0\0\0\0\0\0{]"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"^[^\n]{3,120}$"):
            read_safetensors(path)


def test_no_model_is_built_that_its_weights_could_not_fill(tmp_path: Path):
    with no_larger_than(tmp_path):
        nn.Linear(100, 100)
    with pytest.raises(UserError, match="larger than its weights"), no_larger_than(tmp_path):
        nn.Linear(20_000, 20_000)  # 1.6 GB, which are not touched
    with pytest.raises(UserError, match="describe no model"), no_larger_than(tmp_path):
        {}["x"]
    nn.Linear(8000, 8000, device="meta")  # without the bound


def test_identities_of_dashboards_are_no_paths():
    began = {"a": "3f_x-1.2", "b": "../../x", "c": "/x", "d": 3, "e": "", "f": ".", "g": "x" * 200}
    assert identities(began) == {"a": "3f_x-1.2"}
