"""A run's figures as they stand in a page."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diffstn.figures.evenly import evenly
from diffstn.report.html import Html
from diffstn.report.inside import LeftOut, inside

SUFFIXES = (".png", ".gif", ".jpg", ".jpeg", ".webp")
FORMATS = ("PNG", "GIF", "JPEG", "WEBP")
MOST_BYTES, MOST_PIXELS, MOST_FILES, MOST_STEPS = 2**22, 50_000_000, 64, 24
STEP = re.compile(r"(\d{1,12})\.png")


@dataclass(frozen=True)
class Image:
    """An image that a page can hold.

    Args:
        path: of its file, below the run's folder.
        width, height: in pixels.
        moves: whether it is a GIF.
        content: its bytes.
    """

    path: Path
    width: int
    height: int
    moves: bool
    mime: str
    content: bytes

    @property
    def uri(self) -> Html:
        """The image as an address, with all that it shows."""
        return Html(f"data:{self.mime};base64,{base64.b64encode(self.content).decode()}")


def read_image(folder: Path, name: Path) -> Image:
    """An image of a run, as it is told by its own first bytes.

    Raises:
        LeftOut: it leads out of the folder, is none, or is larger than any that we plot.
    """
    path = inside(folder, name, MOST_BYTES)
    if path is None:
        raise LeftOut(f"{name} is not there")
    from PIL import Image as Pillow

    try:
        content = path.read_bytes()
        with Pillow.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height, kind = image.width, image.height, str(image.format)
    except Exception:  # whatever damaged bytes make Pillow raise
        raise LeftOut(f"{name} is no image") from None
    if width * height > MOST_PIXELS:
        raise LeftOut(f"{name} has {width} × {height} pixels")
    moves = kind == "GIF"
    return Image(name, width, height, moves, f"image/{kind.lower()}", content)


def names_in(folder: Path, below: Path, what: str) -> list[Path]:
    """Sorted entries of a folder within a run, relative to the run; none if it leads out."""
    try:
        if folder.resolve() not in (folder / below).resolve().parents:
            return []
        return sorted(below / path.name for path in (folder / below).glob(what))
    except (OSError, RuntimeError):  # not readable, a link to itself
        return []


def figure_names(folder: Path) -> list[Path]:
    """Images in a run's `figures/`, stills before what moves."""
    names = [n for n in names_in(folder, Path("figures"), "*") if n.suffix.lower() in SUFFIXES]
    return sorted(names, key=lambda name: name.suffix.lower() == ".gif")[:MOST_FILES]


def step_names(folder: Path, most: int = MOST_STEPS) -> dict[str, list[tuple[int, Path]]]:
    """Images of every validation, by the name of what they show: (step, file), in order."""
    found = {}
    for below in names_in(folder, Path("figures") / "steps", "*")[:8]:
        steps = [
            (int(match[1]), name)
            for name in names_in(folder, below, "*.png")
            if (match := STEP.fullmatch(name.name))
        ]
        steps = [steps[i] for i in evenly(len(steps), most)]
        if steps:
            found[below.name] = steps
    return found


class Budget:
    """Bytes that images of a page may have together.

    Args:
        left: bytes.
    """

    def __init__(self, left: int) -> None:
        self.left = left
        self.problems: list[str] = []
        self.too_large: list[Path] = []

    def take(self, folder: Path, names: list[Path]) -> Iterator[Image]:
        """Those of the images that there is room for, the others in `too_large` or `problems`."""
        for name in names:
            try:
                image = read_image(folder, name)
            except LeftOut as error:
                self.problems.append(str(error))
                continue
            if len(image.content) > self.left:
                self.too_large.append(name)
                continue
            self.left -= len(image.content)
            yield image
