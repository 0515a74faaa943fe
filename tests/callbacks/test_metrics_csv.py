import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from diffstn.callbacks.metrics_csv import MetricsCSV


def trainer(epoch: int, **metrics: float) -> Any:
    optimizer = SimpleNamespace(param_groups=[{"lr": 0.125}])
    return SimpleNamespace(
        is_global_zero=True,
        current_epoch=epoch,
        global_step=10 * (epoch + 1),
        optimizers=[optimizer],
        check_val_every_n_epoch=1,
        callback_metrics={name: torch.tensor(value) for name, value in metrics.items()},
    )


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def run(path: Path, first: int, *epochs: dict[str, float]) -> MetricsCSV:
    record = MetricsCSV(path)
    record.on_fit_start(trainer(0), None)  # type: ignore[arg-type]
    record.on_train_start(trainer(first), None)  # type: ignore[arg-type]
    for epoch, metrics in enumerate(epochs, start=first):
        record.on_train_epoch_end(trainer(epoch, **metrics), None)  # type: ignore[arg-type]
    return record


def test_a_row_per_epoch_under_a_header_that_covers_all(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    run(path, 0, {"loss": 0.5}, {"loss": 0.25, "accuracy": 0.75})
    rows = read(path)
    assert [(r["epoch"], r["step"], r["lr"]) for r in rows] == [
        ("1", "10", "0.125"),
        ("2", "20", "0.125"),
    ]
    assert [(r["loss"], r["accuracy"]) for r in rows] == [("0.5", ""), ("0.25", "0.75")]
    assert list(tmp_path.iterdir()) == [path]


def test_a_resumed_run_goes_on_after_its_checkpoint(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    run(path, 0, {"loss": 3.0}, {"loss": 2.0}, {"loss": 1.5})
    text = path.read_text().replace(read(path)[1]["seconds"], "100.0")
    path.write_text(text)
    record = run(path, 2, {"loss": 1.0})
    rows = read(path)
    assert [(r["epoch"], r["loss"]) for r in rows] == [("1", "3"), ("2", "2"), ("3", "1")]
    assert float(rows[-1]["seconds"]) >= 100
    assert record.seconds >= 100


def test_a_new_run_keeps_nothing_of_a_file_that_lay_there(tmp_path: Path):
    path = tmp_path / "metrics.csv"
    run(path, 0, {"loss": 3.0})
    run(path, 0, {"loss": 1.0})
    assert [r["loss"] for r in read(path)] == ["1"]
