"""How trainings and sweeps end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from diffstn.report import summary
from diffstn.report.sweep import conclude

Train = Callable[..., int]


def test_a_run_ends_with_a_report_unless_told_otherwise(train: Train):
    assert train("report=true", "out=with") == 0
    assert train("out=without") == 0  # which tests say
    assert Path("with/report.html").exists()
    assert not Path("without/report.html").exists()
    assert train("report=maybe") == 2


def test_a_sweep_ends_with_a_report_of_its_jobs(train: Train, capsys: pytest.CaptureFixture[str]):
    assert train("-m", "model=stn", "seed=1,2", "hydra.sweep.dir=all", "report=true") == 0
    said = capsys.readouterr().out
    page = Path("all/report.html")
    assert f"summary: {page}" in said
    assert "2 seeds" in page.read_text()
    assert len(list(Path("all").glob("*/report.html"))) == 2


def test_a_summary_that_cannot_be_written_hides_no_table(
    sweep: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(summary, "write_text", full)
    rows, table, paths = conclude(sweep)
    assert (len(rows), paths) == (12, [])
    assert "EMD ratio" in table
    assert "No space left" in capsys.readouterr().err


def test_a_sweep_of_which_no_job_began_is_no_error(tmp_path: Path):
    assert conclude(tmp_path / "nothing") == ([], "no job has begun", [])
