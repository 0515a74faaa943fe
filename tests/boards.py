"""What dashboards keep on disk, read back: curves, panels and how a run ended."""

import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Curves = dict[str, list[tuple[int, float]]]
BLOCK, HEADER = 2**15, 7
"""Of a .wandb file, a log of records in blocks, after a header of its own."""


def wandb_records(path: Path) -> Iterator[Any]:
    """The whole records of a `.wandb` file, as far as it was written."""
    from wandb.proto import wandb_internal_pb2

    content, at, parts = path.read_bytes(), HEADER, b""
    while at + HEADER <= len(content):
        if (left := BLOCK - at % BLOCK) < HEADER:
            at += left
            continue
        _, size, kind = struct.unpack("<IHB", content[at : at + HEADER])
        body = content[at + HEADER : at + HEADER + size]
        if kind == 0 or len(body) < size:
            return
        at += HEADER + size
        parts = body if kind in (1, 2) else parts + body  # 1 whole, 2 first, 3 middle, 4 last
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(parts)
            yield record


def wandb_rows(path: Path) -> list[dict[str, str]]:
    """Of the history, a dictionary of JSON texts for each row."""
    histories = (r.history for r in wandb_records(path) if r.WhichOneof("record_type") == "history")
    return [
        {item.key or ".".join(item.nested_key): item.value_json for item in history.item}
        for history in histories
    ]


def wandb_curves(files: list[Path]) -> tuple[Curves, dict[str, list[int]]]:
    """Numbers by name, and the steps of panels by name."""
    curves: Curves = defaultdict(list)
    panels: dict[str, list[int]] = defaultdict(list)
    for row in (row for path in files for row in wandb_rows(path)):
        if "trainer/global_step" not in row:
            continue
        step = int(float(row["trainer/global_step"]))
        for name, text in row.items():
            if name.endswith("._type"):
                panels[name.removesuffix("._type")].append(step)
            elif not name.startswith("_") and "." not in name and text[:1] in "-0123456789":
                curves[name].append((step, float(text)))
    return curves, panels


def tensorboard_curves(folder: Path) -> tuple[Curves, dict[str, list[int]], list[str]]:
    """Numbers and the steps of images by name, and the names of texts and tables."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    everything = {"scalars": 0, "images": 0, "tensors": 0}
    events = EventAccumulator(str(folder), everything, purge_orphaned_data=False).Reload()
    tags = events.Tags()
    curves = {n: [(e.step, e.value) for e in events.Scalars(n)] for n in tags["scalars"]}
    panels = {n: [e.step for e in events.Images(n)] for n in tags["images"]}
    others = [*tags["tensors"], *events.summary_metadata]
    return curves, panels, others


def mlflow_run(folder: Path) -> tuple[Any, Curves, list[str]]:
    """The one run of a store, its numbers by name, and its files."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder.resolve() / 'mlflow.db'}")
    [experiment] = [e for e in client.search_experiments() if e.name == "diffstn"]
    [run] = client.search_runs([experiment.experiment_id])
    curves = {
        name: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, name)]
        for name in run.data.metrics
    }
    files = [p for p in (folder / "mlartifacts").rglob("*") if p.is_file()]
    return run, curves, [str(p) for p in files]
