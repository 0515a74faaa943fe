"""Which jobs of a sweep are given up."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from diffstn.callbacks.median_stopping import MedianStopping


def job(folder: Path, name: str, values: list[float | str]) -> Path:
    run = folder / name
    (run / "checkpoints").mkdir(parents=True)
    with (run / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", "val/accuracy"])
        writer.writeheader()
        writer.writerows({"epoch": i + 1, "val/accuracy": v} for i, v in enumerate(values))
    return run


def stops(rule: MedianStopping, values: list[float]) -> list[bool]:
    """Whether the rule stops a training, validation by validation."""
    found = []
    for epoch, value in enumerate(values):
        trainer: Any = SimpleNamespace(
            sanity_checking=False,
            callback_metrics={rule.monitor: torch.tensor(value)},
            current_epoch=epoch,
            should_stop=False,
        )
        rule.on_validation_end(trainer, None)  # type: ignore[arg-type]
        found.append(trainer.should_stop)
    return found


def rule_for(folder: Path, mode: str = "max", **settings: Any) -> MedianStopping:
    mine = job(folder, f"9-mine-{mode}-{len(settings)}", [])
    return MedianStopping(str(mine / "checkpoints"), "val/accuracy", mode, **settings)


def test_a_job_behind_half_of_the_others_is_given_up(tmp_path: Path):
    for number, values in enumerate(([0.2, 0.5, 0.4], [0.3, 0.6, 0.9], [0.4, 0.7, 0.8])):
        job(tmp_path, f"{number}-seed", values)
    # medians of the bests: 0.3, 0.6, 0.8
    assert stops(rule_for(tmp_path), [0.1, 0.55, 0.9]) == [False, True, False]
    assert stops(rule_for(tmp_path, after=0), [0.1, 0.6, 0.1]) == [True, False, True]
    assert stops(rule_for(tmp_path, "min", after=0), [0.25, 0.9, 0.9]) == [False, False, False]
    assert stops(rule_for(tmp_path, "min", after=0, least=2), [0.35]) == [True]


def test_jobs_that_have_not_come_as_far_and_files_that_are_none_do_not_count(tmp_path: Path):
    for number, values in enumerate(([0.9], [0.9, 0.9], [0.9, "", 0.9])):
        job(tmp_path, f"{number}-seed", values)
    (job(tmp_path, "3-seed", []) / "metrics.csv").write_bytes(b"\xff\x00")
    (job(tmp_path, "4-seed", []) / "metrics.csv").write_text("epoch\nx\n")
    rule = rule_for(tmp_path, least=3, after=0)
    assert len(list(rule.others(1))) == 3
    assert len(list(rule.others(2))) == 2
    assert stops(rule, [0.1, 0.1, 0.1]) == [True, False, False]


def test_what_it_has_seen_is_in_the_checkpoint(tmp_path: Path):
    first, second = rule_for(tmp_path), rule_for(tmp_path, least=1)
    stops(first, [0.1, 0.3])
    second.load_state_dict(first.state_dict())
    assert second.values == pytest.approx([0.1, 0.3])
