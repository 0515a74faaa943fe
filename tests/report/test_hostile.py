"""A run may be a stranger's: it is shown as it is, and nothing of it runs or leads elsewhere."""

import json
import os
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from diffstn.report.recorded import recorded
from diffstn.report.write import report

EVIL = "<script>document.title='hit'</script><img src=x onerror=alert(1)>\"' </title> </script>"


class Seen(HTMLParser):
    """Names of elements and of their attributes in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}


def poison(node: Any) -> Any:
    """A copy whose words, names too, are all hostile."""
    if isinstance(node, dict):
        return {f"{name}{EVIL}": poison(value) for name, value in node.items()} | node
    return EVIL if isinstance(node, str) else node


def test_what_a_run_says_is_shown_and_never_run(run: Path, change: Callable[..., None]):
    clean = Seen(report([str(run)])[0].read_text())
    for name in ("metrics", "environment", "config"):
        change(run, name, lambda content: content.update(poison(content)))
    change(run, "status", lambda s: s.update(state="failed", error=EVIL, time=EVIL))
    (run / "overrides.txt").write_text(f"model={EVIL}\n{EVIL}=1\n")
    table = run / "metrics.csv"
    table.write_text(table.read_text().replace("val/loss", "<img src=x onerror=alert(1)>"))
    figure = next((run / "figures").glob("*.png"))
    figure.rename(figure.with_name("<img src=x onerror=alert(1)>.png"))
    hostile = run.rename(run.with_name("<b onmouseover=alert(1)>\n\x1b[31m"))
    text = report([str(hostile)])[0].read_text()
    seen = Seen(text)
    assert seen.elements.count("script") == clean.elements.count("script") == 2
    assert set(seen.elements) <= set(clean.elements) | {"b", "p", "ul", "li", "td"}
    assert seen.elements.count("b") == 0
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert "\x1b" not in text
    assert "&lt;script&gt;document.title" in text


def test_links_lead_nowhere_else(run: Path, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.mkdir()
    Image.new("RGB", (3, 3)).save(secret / "private.png")
    (secret / "notes.txt").write_text("TOP SECRET")
    for name in ("overrides.txt", "metrics.json"):
        (run / name).unlink()
        (run / name).symlink_to(secret / "notes.txt")
    (run / "figures" / "stolen.png").symlink_to(secret / "private.png")
    (run / "figures" / "steps" / "more").symlink_to(secret)
    (secret / "00000001.png").write_bytes((secret / "private.png").read_bytes())
    [page] = report([str(run)])
    text = page.read_text()
    assert "TOP SECRET" not in text
    assert text.count("leads out of the folder") == 3
    assert "more, step 1" not in text

    page.unlink()
    mine = tmp_path / "mine.txt"
    mine.write_text("keep me")
    (run / "report.html.part").symlink_to(mine)
    report([str(run)])
    assert mine.read_text() == "keep me"


def test_a_job_that_is_a_link_is_left_out(run: Path, tmp_path: Path):
    sweep = tmp_path / "sweep"
    inside = sweep / "0-mine"
    inside.mkdir(parents=True)
    (inside / "overrides.txt").write_text("seed=1\n")
    (sweep / "1-theirs").symlink_to(run)
    *_, page = report([str(sweep)])
    assert "1-theirs leads out of the folder" in page.read_text()
    assert "1-theirs" not in (sweep / "summary.csv").read_text()


DAMAGE = {
    "config.yaml": [b"", b"\xff\xfe", b"[1, 2]", b"a: ${oc.env:HOME}", b"model: {_target_: 3}"],
    "metrics.csv": [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"step\nx\n", b'step,"a\n1'],
    "metrics.json": [b"", b"{", b"[]", b"[" * 5000, b'{"numbers": [1], "k": {"1": 2, "3": {}}}'],
    "status.json": [b"", b"[]", b'{"state": {"a": 1}}', b'{"state": "done", "error": [[]]}'],
    "environment.json": [b"nonsense", b'{"a": {"b": {}}}', b'{"seed": NaN}'],
    "overrides.txt": [b"\xff\xff", b"=\n==\n\n", b""],
}


@pytest.mark.parametrize(
    ("name", "content"),
    [(name, one) for name, every in DAMAGE.items() for one in every],
    ids=lambda value: repr(value)[:24],
)
def test_a_damaged_file_is_a_line_and_the_rest_is_shown(name: str, content: bytes, run: Path):
    (run / name).write_bytes(content)
    [page] = report([str(run)])
    assert "What was run" in page.read_text()
    (run / name).unlink()
    report([str(run)])


def test_files_that_never_end_are_not_read(run: Path):
    for name in ("metrics.csv", "metrics.json", "overrides.txt"):
        (run / name).unlink()
        os.mkfifo(run / name)
    os.mkfifo(run / "figures" / "pipe.png")
    (run / "figures" / "steps" / "samples" / "00000001.png").unlink(missing_ok=True)
    with (run / "environment.json").open("wb") as file:
        file.truncate(2**30)
    found = recorded(run)
    assert len(found.problems) == 4
    text = report([str(run)])[0].read_text()
    assert "metrics.csv is no file" in text
    assert "pipe.png" in text


def test_deep_and_wide_files_stay_within_bounds(run: Path):
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    (run / "metrics.json").write_text(json.dumps({"k": deep}))
    columns = ",".join(f"m{i}" for i in range(3000))
    row = ",".join(["1"] * 3001)
    (run / "metrics.csv").write_text(f"step,{columns}\n" + f"{row}\n" * 50)
    found = recorded(run)
    assert found.problems == ["metrics.json is nested deeper than any that a run writes"]
    assert len(found.curves.metrics) < 64
    assert report([str(run)])[0].stat().st_size < 10e6


def test_images_are_told_by_their_bytes_and_bounded(run: Path):
    figures = run / "figures"
    (figures / "page.png").write_bytes(b"<svg onload=alert(1)>")
    with (figures / "huge.png").open("wb") as file:
        file.truncate(2**24)
    Image.new("1", (9000, 9000)).save(figures / "bomb.png")
    text = report([str(run)])[0].read_text()
    for line in ("page.png is no image", "huge.png is larger", "bomb.png has 9000 × 9000 pixels"):
        assert line in text
