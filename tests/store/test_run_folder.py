import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from diffstn.errors import UserError
from diffstn.store.run_folder import PRETRAINED, RunFolder, find_runs, new_folder, open_run


def make_run(path: Path, model: str = "stn") -> RunFolder:
    run = RunFolder(path)
    run.status("done")
    run.config.write_text(f"choices: {{model: {model}, data: affine_mnist}}\n")
    return run


def test_json_is_written_whole_and_read_back(tmp_path: Path):
    run = RunFolder(tmp_path / "a" / "b")
    assert run.read_json("metrics") == {}
    path = run.write_json("metrics", {"accuracy": 98.5})
    assert json.loads(path.read_text()) == run.read_json("metrics") == {"accuracy": 98.5}
    assert list(run.path.iterdir()) == [path]


def test_status_says_when(tmp_path: Path):
    run = RunFolder(tmp_path)
    run.status("failed", error="no")
    status = run.read_json("status")
    assert (status["state"], status["error"]) == ("failed", "no")
    assert len(status["time"]) == 19


def test_runs_are_found_wherever_they_lie(tmp_path: Path):
    make_run(tmp_path / "one")
    make_run(tmp_path / "sweep" / "0-seed=1")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.yaml").write_text("{}")
    assert {run.path.name for run in find_runs(tmp_path)} == {"one", "0-seed=1"}


def test_open_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    make_run(Path("runs/one"))
    assert open_run("runs/one").path == Path("runs/one")
    monkeypatch.chdir(tmp_path / "runs" / "one")
    assert open_run(".").config.exists()


@pytest.mark.parametrize("path", ["nowhere", None, "", ".", "pretrained/none"])
def test_no_run_lists_those_there_are(
    path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    make_run(Path("runs/one"))
    make_run(Path("sweeps/today/0-seed=1"), "diff_in_stn")
    with pytest.raises(UserError) as caught:
        open_run(path)
    message = str(caught.value)
    assert "runs/one [done] stn affine_mnist" in message
    assert "sweeps/today/0-seed=1 [done] diff_in_stn affine_mnist" in message
    for shipped in PRETRAINED.glob("*/config.yaml"):
        assert f"pretrained/{shipped.parent.name}" in message


def test_a_damaged_run_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("whole", "config", "status"):
        run = RunFolder(f"runs/{name}")
        run.write("config.yaml", "choices: {model: stn}")
        run.status("done")
    run = RunFolder("runs/config")
    run.write("config.yaml", "choices: {model: [st")
    RunFolder("runs/status").write("status.json", "")
    with pytest.raises(UserError) as caught:
        open_run("nowhere")
    assert "runs/whole [done] stn" in str(caught.value)
    assert str(caught.value).count("[damaged]") == 2
    with pytest.raises(UserError, match=r"runs/config/config.yaml is damaged"):
        run.read_config()
    with pytest.raises(UserError, match=r"runs/status/status.json is damaged"):
        RunFolder("runs/status").read_json("status")


def test_a_new_folder_is_never_one_that_is_there(tmp_path: Path):
    for count in range(1, 4):
        new_folder(tmp_path).mkdir()
        assert len(list(tmp_path.iterdir())) == count


BOMB = "".join(f"{a}: &{a} [{', '.join([f'*{b}'] * 9)}]\n" for b, a in pairwise("abcdefghi"))


@pytest.mark.parametrize(
    "content",
    [
        f"a: &a [1, 2]\n{BOMB}",  # 9^8 nodes in 9 lines
        "a: &a [*a]\n",  # itself
        "a: &a\n  b: *a\n",
        "- a list\n",
        "a: [\n",
        "\x00\x01",
        "[" * 5000,
    ],
)
def test_a_hostile_configuration_is_one_line(tmp_path: Path, content: str):
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(UserError, match="is damaged: without it"):
        RunFolder(tmp_path).read_config()


def test_a_pipe_that_nobody_fills_does_not_hang(tmp_path: Path):
    os.mkfifo(tmp_path / "config.yaml")
    os.mkfifo(tmp_path / "status.json")
    with pytest.raises(UserError, match="is damaged"):
        RunFolder(tmp_path).read_config()
    with pytest.raises(UserError, match=r"status.json is damaged"):
        RunFolder(tmp_path).read_json("status")


@pytest.mark.parametrize("content", ["[1]", "{", "[" * 100_000])
def test_damaged_json_is_one_line(tmp_path: Path, content: str):
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(UserError, match=r"metrics.json is damaged"):
        RunFolder(tmp_path).read_json("metrics")


def test_two_files_of_one_second_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("diffstn.store.run_folder.time.strftime", lambda _: "now")
    paths = [RunFolder(tmp_path).write_new_json({"seed": seed}) for seed in range(3)]
    assert [path.name for path in paths] == ["now.json", "now_2.json", "now_3.json"]
    assert [RunFolder(tmp_path).read_json(path.stem)["seed"] for path in paths] == [0, 1, 2]
