"""What runs look like: sheets of samples through training as sliders, and figures."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from diffstn.figures.evenly import evenly
from diffstn.report.html import Html, element, joined
from diffstn.report.images import Budget, Image, figure_names, step_names
from diffstn.report.recorded import Recorded

CURVES = "curves"
"""The figure of what the page plots itself."""
WIDE = 700
"""Pixels from which on a figure has a line of its own."""
MOST_BYTES = 6_500_000
"""Of all images of a page; as text they are a third more."""
MOST_POSITIONS = 100
"""Of a slider."""
OF_STEPS = 0.6
"""The share of these that sliders may take."""


def budgets(runs: Sequence[Recorded]) -> list[Budget]:
    """Room for the images of each run."""
    return [Budget(MOST_BYTES // max(1, len(runs))) for _ in runs]


def films(runs: Sequence[Recorded], rooms: Sequence[Budget]) -> Html:
    """A slider for every name of step images, with what each run has of it."""
    most = max(2, min(24, 240 // max(1, len(runs))))
    reels: dict[str, list[tuple[Recorded, list[tuple[int, Image]]]]] = {}
    for run, room in zip(runs, rooms, strict=True):
        kept = room.left
        room.left = int(kept * OF_STEPS)
        start = room.left
        for name, steps in step_names(run.path, most).items():
            number = {path: step for step, path in steps}
            taken = [(number[i.path], i) for i in room.take(run.path, list(number))]
            if taken:
                reels.setdefault(name, []).append((run, taken))
        room.left = kept - (start - room.left)
    return joined(_film(name, of, len(runs) > 1) for name, of in reels.items())


def _film(name: str, reels: list[tuple[Recorded, list[tuple[int, Image]]]], several: bool) -> Html:
    every = sorted({step for _, images in reels for step, _ in images})
    steps = [every[i] for i in evenly(len(every), MOST_POSITIONS)]
    side = 160 if several else 480
    controls = [
        element("button", "▶", type="button", aria_label="play"),
        element(
            "input",
            type="range",
            **{"min": 0, "max": len(steps) - 1, "value": len(steps) - 1, "step": 1},
            aria_label=f"step of {name}",
        ),
        element("output", f"step {steps[-1]:,}"),
    ]
    shown = [
        element(
            "div",
            [
                _image(image, f"{name}, step {step}", step, image is not images[-1][1], side)
                for step, image in images
            ],
            element("figcaption", run.name) if several else "",
            class_="reel",
        )
        for run, images in reels
    ]
    return element(
        "div",
        element("h3", name),
        element("div", controls, class_="controls"),
        element("div", shown, class_="reels" if several else "reels one"),
        class_="film",
        data_steps=json.dumps(steps),
    )


def _image(
    image: Image, alt: str, step: int | None = None, hidden: bool = False, side: int = 0
) -> Html:
    """An image, small ones enlarged to about so many pixels: every pixel a square of them."""
    scale = max(1, side // image.width)
    width, height = scale * image.width, scale * image.height
    return element(
        "img",
        **{"src": image.uri, "alt": alt, "width": width, "height": height},
        **{"data_step": step, "hidden": hidden},
    )


def figures(run: Recorded, room: Budget, home: Path) -> Html:
    """A run's figures, those that move too, and links to those that there is no room for."""
    names = [n for n in figure_names(run.path) if n.stem != CURVES or not run.curves.metrics]
    taken = list(room.take(run.path, names))
    shown = [
        element(
            "figure",
            _image(image, f"{image.path.stem} of {run.name}"),
            element("figcaption", image.path.stem.replace("_", " ")),
            class_="large" if image.width > WIDE else None,
        )
        for image in taken
    ]
    links = [_link(run, name, home) for name in room.too_large]
    return joined(
        element("div", shown, class_="figures") if shown else "",
        element("p", "In the folder: ", [[one, " "] for one in links], class_="note")
        if links
        else "",
    )


def _link(run: Recorded, name: Path, home: Path) -> Html:
    """A link to a file of a run, where the run lies below the page."""
    try:
        below = os.path.relpath((run.path / name).absolute(), home.absolute())
    except ValueError:  # on another drive
        below = ".."
    if below.startswith(".."):
        return element("span", name.name)
    return element("a", name.name, href=f"./{quote(Path(below).as_posix())}")
