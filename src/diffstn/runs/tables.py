"""Results as tables for the terminal and for Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any


def markdown(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """An aligned Markdown table, readable as it is on a terminal."""
    cells = [[str(c) for c in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])


POSE_COLUMNS = {
    "rotation_deg": "rotation °",
    "rotation_deg_median": "median °",
    "scale_percent": "scale %",
    "translation_px": "shift px",
    "corner_px": "corners px",
}


def headline(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The numbers by which one run is compared with another, by name."""
    if "numbers" in metrics:
        return dict(metrics["numbers"])
    if "k" not in metrics:
        return {"accuracy k=1": metrics["accuracy"]}
    accuracies = {f"accuracy k={k}": numbers["accuracy"] for k, numbers in metrics["k"].items()}
    return {**accuracies, "uncorrected": metrics["uncorrected"], "oracle": metrics["oracle"]}


def result_table(metrics: Mapping[str, Any]) -> str:
    """Accuracy, pose errors and per-class accuracy of one evaluation; or measures of generation."""
    if "generation" in metrics:
        rows = metrics["generation"]
        columns = list(next(iter(rows.values())))
        return markdown(["", *columns], [[name, *row.values()] for name, row in rows.items()])
    if "k" not in metrics:
        rows = [("accuracy %", metrics["accuracy"])]
    else:
        pose = [name for name in POSE_COLUMNS if name in next(iter(metrics["k"].values()))["pose"]]
        header = ["", "accuracy %", *(POSE_COLUMNS[name] for name in pose)]
        blank = [""] * len(pose)
        body = [["uncorrected", metrics["uncorrected"], *blank]]
        for k, numbers in metrics["k"].items():
            name = "corrected" if len(metrics["k"]) == 1 else f"corrected, k = {k}"
            errors = [f"{numbers['pose'][column]:.2f}" for column in pose]
            body.append([name, numbers["accuracy"], *errors])
        body.append(["oracle", metrics["oracle"], *blank])
        rows = []
        table = markdown(header, body)
    if rows:
        table = markdown(["", ""], rows)
    best = metrics if "k" not in metrics else list(metrics["k"].values())[-1]
    per_class = best["per_class"]
    return table + "\n\n" + markdown(["class", *per_class], [["accuracy %", *per_class.values()]])
