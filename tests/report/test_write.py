"""`diffstn report`: what it takes, what it writes, what it refuses."""

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diffstn.cli.of_folders import folders_command
from diffstn.errors import UserError
from diffstn.report.page import BEGINS
from diffstn.report.write import end_with_report, report


def data_of(page: Path) -> dict:
    """What the page's script is given."""
    text = page.read_text()
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


def test_training_ends_with_a_page_of_all_that_the_run_left(trained: Path):
    page = trained / "report.html"
    text = page.read_text()
    assert text.startswith(BEGINS)
    assert "model=ddpm_points" in text
    assert "EMD ratio" in text
    assert text.count("data:image/png") >= 4 + 2  # of every epoch, and figures
    assert "data:image/gif" in text
    for word in ("settings.sampler.steps", "pytorch-lightning", "network.width: 16"):
        assert word in text
    assert "report: " in (trained / "train.log").read_text()
    panels = {panel["title"]: panel["series"] for panel in data_of(page)["panels"]}
    assert {series["label"] for series in panels["loss"]} == {"val/loss", "train/loss"}
    assert all(len(series["y"]) == 4 for series in panels["loss"])


def test_a_page_asks_no_network_for_anything(trained: Path):
    text = (trained / "report.html").read_text()
    assert "default-src 'none'" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    assert "@import" not in text


def test_a_sweep_is_told_by_what_differs(sweep: Path, capsys: pytest.CaptureFixture[str]):
    assert folders_command("report", [str(sweep)]) == 0
    said = capsys.readouterr().out
    page = sweep / "report.html"
    for name in ("summary.csv", "summary.md", "summary.png", "report.html"):
        assert f"wrote {sweep / name}" in said
    data = data_of(page)
    assert data["groups"] == [f"width={w}" for w in (8, 16, 32, 64)]
    assert data["seeds"] == [3, 3, 3, 3]
    assert data["bands"]
    losses = next(p for p in data["panels"] if p["title"] == "val/loss")["series"]
    assert [series["group"] for series in losses] == [n // 3 for n in range(12)]
    text = page.read_text()
    assert text.index("network.width") < text.index('id="curves"')  # the differences come first
    assert "train/loss became nan" in text
    assert page.stat().st_size < 10e6


def test_several_runs_make_a_page_where_one_stands(
    run: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run, "other")
    (written,) = report(["run", "other", "./run"])
    assert written == Path("report.html")
    assert len(data_of(written)["runs"]) == 2
    assert report(["run", "other", "out=pages"]) == [Path("pages/report.html")]
    assert report(["run", "out=mine.html"]) == [Path("mine.html")]
    assert not Path("run/report.html").exists()
    report(["run", "out=mine.html"])  # one of ours is made anew
    assert report(["run/config.yaml"]) == [Path("run/report.html")]


def test_a_run_that_ships_is_reported_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert report(["pretrained/mnist_unet"]) == [Path("report.html")]
    assert "FID test" in Path("report.html").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["rum"], "rum: no run there; did you mean run?"),
        (["nowhere/at/all"], "no run there"),
        (["empty"], "empty holds no run and no jobs of a sweep"),
        (["run", "rum"], "rum: no run there"),
        (["run", "out=page.html"], "page.html is not of a report"),
        (["run", "out=folder.html"], "folder.html is in the way"),
        (["run", "out="], "out= is empty"),
        (["run", "format=pdf"], "'format=pdf': a report takes folders and out="),
        (["run\0"], "no run there"),
        (["x" * 5000], "no run there"),
        (["run", "out=page.html/below"], "page.html/below"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_is_one_line(
    words: list[str],
    line: str,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("folder.html").mkdir()
    Path("page.html").write_text("<html>mine</html>")
    assert folders_command("report", words) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
    assert Path("page.html").read_text() == "<html>mine</html>"


def test_a_report_that_fails_does_not_fail_the_run(run: Path, caplog: pytest.LogCaptureFixture):
    (run / "report.html").write_text("my notes")
    with caplog.at_level(logging.WARNING):
        end_with_report(run, logging.getLogger("test"))
    assert "no report" in caplog.text
    assert (run / "report.html").read_text() == "my notes"
    with pytest.raises(UserError):
        report([str(run)])


def test_a_report_is_quick_to_start(run: Path):
    code = (
        "import sys; from diffstn.report.write import report; report([sys.argv[1]]);"
        "assert not {'torch', 'hydra', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(run)], check=True)
    assert (run / "report.html").exists()
