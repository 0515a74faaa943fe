"""The table of a sweep, from its folders alone, at any time."""

import csv
from pathlib import Path

import pytest
from PIL import Image

from diffstn.errors import UserError
from diffstn.report.recorded import recorded
from diffstn.report.summary import jobs_of, mean_sd, summarise, write_summary


def test_mean_and_sample_deviation():
    assert mean_sd([]) == ""
    assert mean_sd([98.123]) == "98.12"
    assert mean_sd([1.0, 2.0, 3.0]) == "2.00 ± 1.00"
    assert mean_sd([0.00123, 0.00125]) == "0.00124 ± 0.00001"


def test_a_job_that_was_lost_is_in_the_table(tmp_path: Path):
    (tmp_path / "0-seed=1").mkdir()
    (tmp_path / "0-seed=1" / "overrides.txt").write_text("model=stn\nseed=1\n")
    rows, table = summarise([recorded(path) for path in jobs_of(tmp_path)[0]])
    assert rows[0]["state"] == "lost"
    assert "0/1" in table


def test_jobs_come_in_the_order_of_their_numbers_and_names_need_none(tmp_path: Path):
    names = ["10-b", "9-a", "trial", "zz-1", "٣-digits"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "overrides.txt").touch()
    (tmp_path / "no job").mkdir()
    found = [path.name for path in jobs_of(tmp_path)[0]]
    assert found[-2:] == ["trial", "zz-1"]
    assert found.index("9-a") < found.index("10-b")
    assert len(found) == 5


def test_seeds_share_a_row_and_it_can_be_made_again(sweep: Path):
    rows, table, paths = write_summary(sweep)
    assert [path.name for path in paths] == ["summary.csv", "summary.md", "summary.png"]
    first = {path: path.read_bytes() for path in paths[:2]}
    write_summary(sweep)
    assert {path: path.read_bytes() for path in paths[:2]} == first
    with paths[0].open(newline="") as file:
        kept = list(csv.DictReader(file))
    assert len(kept) == len(rows) == 12
    assert [row["state"] for row in kept] == [*["done"] * 11, "failed"]
    ratios = [float(row["EMD ratio"]) for row in kept if row["network.width"] == "16"]
    assert len(ratios) == 3
    lines = table.splitlines()
    assert len(lines) == 2 + 4
    assert mean_sd(ratios) in lines[3]
    assert "2/3" in lines[-1]
    assert paths[1].read_text() == table + "\n"
    with Image.open(paths[2]) as figure:
        assert figure.width > 800


def test_words_of_a_job_stay_in_their_cell(tmp_path: Path):
    (tmp_path / "0-x").mkdir()
    (tmp_path / "0-x" / "overrides.txt").write_text("a|b=c | d\x1b[31m\nseed=1\n")
    _, table, _ = write_summary(tmp_path)
    assert "\x1b" not in table
    assert {line.count("|") for line in table.splitlines()} == {4}


def test_nothing_of_somebody_elses_is_overwritten(tmp_path: Path):
    (tmp_path / "0-x").mkdir()
    (tmp_path / "0-x" / "overrides.txt").write_text("seed=1\n")
    (tmp_path / "summary.csv").write_text("my,own,table\n")
    with pytest.raises(UserError, match="not of a report"):
        write_summary(tmp_path)
    assert (tmp_path / "summary.csv").read_text() == "my,own,table\n"
    with pytest.raises(UserError, match="no jobs"):
        write_summary(tmp_path / "0-x")
