"""The sheet of samples that grows with training."""

from pathlib import Path
from types import SimpleNamespace

import torch

from diffstn.callbacks.sample_sheet import SampleSheet


class Module:
    """Samples what the noise gives."""

    def generate(self, x_T, label, generator):
        return x_T / 3 + (0 if label is None else label)


def blot(sampled):
    return sampled.reshape(1, -1, 2).clamp(0, 1)


def trainer(step: int) -> SimpleNamespace:
    return SimpleNamespace(global_step=step, is_global_zero=True, sanity_checking=False)


def test_each_validation_adds_samples_of_the_same_noise(tmp_path: Path):
    sheet = SampleSheet(tmp_path / "figures" / "training.png", (1, 40, 2), blot)
    for step in (1000, 2000):
        sheet.on_validation_epoch_end(trainer(step), Module())  # type: ignore[arg-type]
    assert sheet.steps == [1000, 2000]
    assert torch.equal(*sheet.sheets)
    assert sheet.sheets[0].shape == (1, 40, 2)
    assert sheet.path.exists()


def test_a_resumed_sheet_is_complete(tmp_path: Path):
    first = SampleSheet(tmp_path / "a.png", (30, 2), blot)
    first.on_validation_epoch_end(trainer(5), Module())  # type: ignore[arg-type]
    torch.save(first.state_dict(), tmp_path / "state")
    second = SampleSheet(tmp_path / "b.png", (30, 2), blot)
    second.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    second.on_validation_epoch_end(trainer(9), Module())  # type: ignore[arg-type]
    assert second.steps == [5, 9]
    alone = tmp_path / "steps" / "samples"  # one by one, those before the interruption, too
    assert sorted(path.name for path in alone.iterdir()) == ["00000005.png", "00000009.png"]
    empty = SampleSheet(tmp_path / "c.png", (30, 2), blot)
    empty.load_state_dict(SampleSheet(tmp_path / "d.png", (30, 2), blot).state_dict())
    assert empty.sheets == []  # stopped before the first validation
    older = {"steps": [5], "drawings": first.sheets}
    second.load_state_dict(older)
    assert second.sheets == first.sheets


def test_a_model_that_hears_classes_is_told_them(tmp_path: Path):
    sheet = SampleSheet(tmp_path / "a.png", (30, 2), blot, label=torch.tensor(5))
    sheet.on_validation_epoch_end(trainer(5), Module())  # type: ignore[arg-type]
    assert (sheet.sheets[0] == 1).all()


def test_other_ranks_sample_nothing(tmp_path: Path):
    sheet = SampleSheet(tmp_path / "a.png", (30, 2), blot)
    other = trainer(5)
    other.is_global_zero = False
    sheet.on_validation_epoch_end(other, Module())  # type: ignore[arg-type]
    assert not sheet.steps
    assert not sheet.path.exists()
