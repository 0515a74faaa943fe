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


ERROR_COLUMNS = {
    "rotation_deg": "rotation °",
    "rotation_deg_median": "median °",
    "scale_percent": "scale %",
    "translation_px": "shift px",
    "corner_px": "corners px",
    "psnr_db": "PSNR dB",
    "ssim": "SSIM",
}


def errors_of(numbers: Mapping[str, Any]) -> Mapping[str, float]:
    """The errors of poses or of images among the numbers of one evaluation."""
    return numbers.get("pose") or numbers.get("image") or {}


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
        table = markdown(["", *columns], [[name, *row.values()] for name, row in rows.items()])
        tables = [table]
        if "features" in metrics:
            further = {k: v for k, v in metrics["numbers"].items() if not k.startswith("FID")}
            tables.append(markdown(list(further), [list(further.values())]))
        for name in ("per_class", "likelihood"):
            if name in metrics:
                title = {"per_class": "class", "likelihood": ""}[name]
                what = {"per_class": "accuracy %", "likelihood": "bits/dim"}[name]
                row = metrics[name]
                tables.append(markdown([title, *row], [[what, *row.values()]]))
        return "\n\n".join(tables)
    if "k" not in metrics:
        rows = [("accuracy %", metrics["accuracy"])]
        rows += [(f"at {t}", share) for t, share in metrics.get("by_noise", {}).items()]
    else:
        first = errors_of(next(iter(metrics["k"].values())))
        columns = [name for name in ERROR_COLUMNS if name in first]
        header = ["", "accuracy %", *(ERROR_COLUMNS[name] for name in columns)]
        as_is = metrics.get("images_as_is", {})

        def line(name: str, accuracy: float, errors: Mapping[str, float]) -> list[Any]:
            cells = (f"{errors[column]:.2f}" if errors else "" for column in columns)
            return [name, accuracy, *cells]

        body = [line("uncorrected", metrics["uncorrected"], as_is.get("uncorrected", {}))]
        for k, numbers in metrics["k"].items():
            name = "corrected" if len(metrics["k"]) == 1 else f"corrected, k = {k}"
            body.append(line(name, numbers["accuracy"], errors_of(numbers)))
        body.append(line("oracle", metrics["oracle"], as_is.get("oracle", {})))
        rows = []
        table = markdown(header, body)
    if rows:
        table = markdown(["", ""], rows)
    best = metrics if "k" not in metrics else list(metrics["k"].values())[-1]
    per_class = best["per_class"]
    return table + "\n\n" + markdown(["class", *per_class], [["accuracy %", *per_class.values()]])
