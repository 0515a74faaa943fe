"""The figure of a few images after each validation."""

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from diffstn.callbacks.pose_sheet import MOST, PoseSheet, evenly


def trainer(step: int, first: bool = True) -> Any:
    return SimpleNamespace(
        global_step=step, optimizers=[0], is_global_zero=first, sanity_checking=False
    )


def draw(model: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(torch.rand(())))  # of the generator that training uses
    return path


def test_it_leaves_the_generator_alone_and_keeps_few(tmp_path: Path):
    sheet, model = PoseSheet(tmp_path / "poses", draw), SimpleNamespace(device=torch.device("cpu"))
    assert sheet.newest is None
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    for step in range(10, 1010, 10):
        sheet.on_validation_epoch_end(trainer(step), model)  # type: ignore[arg-type]
        assert sheet.newest == tmp_path / "poses" / f"{step:08d}.png"
        assert sheet.newest.exists()
    assert torch.equal(torch.rand(3), expected)
    kept = [int(path.stem) for path in sorted((tmp_path / "poses").iterdir())]
    assert kept == [*range(10, 1010, 80), 1000]
    sheet.on_validation_epoch_end(trainer(2000, first=False), model)  # type: ignore[arg-type]
    assert sheet.steps[-1] == 1000


def test_kept_ones_are_evenly_spaced():
    for count in range(1, 200):
        kept = evenly(list(range(count)))
        assert len(kept) <= MOST + 1
        assert len(kept) >= min(count, MOST // 2)
        gaps = {b - a for a, b in itertools.pairwise(kept[:-1])}
        assert len(gaps) <= 1


def test_a_resumed_sheet_goes_on():
    one, other = PoseSheet(Path(), draw), PoseSheet(Path(), draw)
    one.steps = [3, 5]
    other.load_state_dict(one.state_dict())
    assert other.steps == [3, 5]
