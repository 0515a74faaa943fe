"""What a sweep keeps of itself."""

import time
from pathlib import Path

import pytest

from diffstn.errors import UserError
from diffstn.store.run_folder import RunFolder
from diffstn.store.sweep_folder import SweepFolder, new_sweep

WORDS = ["model=stn", "seed=1,2", "hydra.sweep.dir=here"]


def test_sweeps_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path: Path):
    assert len({new_sweep(tmp_path) for _ in range(5)}) == 5


def test_a_folder_is_one_sweeps(tmp_path: Path):
    SweepFolder(tmp_path / "here").claim(WORDS)
    with pytest.raises(UserError, match=r"holds a sweep already.*resume=true"):
        SweepFolder(tmp_path / "here").claim(WORDS)
    (tmp_path / "there" / "0-seed-1").mkdir(parents=True)
    (tmp_path / "there" / "0-seed-1" / "overrides.txt").touch()  # of an older version
    with pytest.raises(UserError, match="holds a sweep already"):
        SweepFolder(tmp_path / "there").claim(WORDS)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"hydra\.sweep\.dir="):
        SweepFolder(tmp_path / "file" / "here").claim(WORDS)


def test_words_that_found_no_room_are_none(tmp_path: Path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "sweep.txt").touch()
    folder = SweepFolder(tmp_path / "here")
    with pytest.raises(UserError, match="holds no sweep"):
        folder.words_to_resume(["resume=true"])
    folder.claim(WORDS)
    assert folder.words_to_resume(["resume=true"]) == WORDS


def test_its_folder_may_need_quotes():
    asked = SweepFolder.asked(["hydra.sweep.dir='my sweeps/a,b=c'", "resume=true"])
    assert asked.path == Path("my sweeps/a,b=c")


def test_it_goes_on_with_the_words_that_it_began_with(tmp_path: Path):
    folder = SweepFolder(tmp_path / "here")
    folder.claim(WORDS)
    resume = ["hydra.sweep.dir=here", "resume=true"]
    assert folder.words_to_resume(resume) == WORDS
    assert folder.words_to_resume([*resume, *WORDS]) == WORDS
    faster = "hydra.launcher.n_jobs=2"
    assert folder.words_to_resume([*resume, faster]) == [*WORDS, faster]
    with pytest.raises(UserError, match="seed=3: a sweep that has begun keeps its words, which"):
        folder.words_to_resume([*resume, "seed=3"])
    with pytest.raises(UserError, match="holds no sweep"):
        SweepFolder(tmp_path / "nowhere").words_to_resume(resume)


def test_what_stops_the_other_jobs_is_in_their_folders(tmp_path: Path):
    folder, now = SweepFolder(tmp_path), time.time()
    job, next_job = RunFolder(tmp_path / "0-seed-1"), RunFolder(tmp_path / "1-seed-2")

    def stopped(since: float, on_error: str, *problems: BaseException) -> bool:
        return folder.leaves_out(next_job, ["seed=2"], since, on_error, problems)

    job.status("done")
    assert not stopped(now - 1, "stop")
    job.status("failed")
    assert not stopped(now - 1, "continue")
    assert not stopped(time.time() + 1, "stop")  # in an earlier sitting
    assert not next_job.path.exists()
    assert stopped(now - 1, "stop")
    assert next_job.read_json("status")["error"].endswith("did not finish, and on_error=stop")
    job.status("interrupted")
    assert stopped(now - 1, "continue")
    (job.path / "status.json").write_text("{")
    assert not stopped(now - 1, "stop")
    assert stopped(now - 1, "stop", UserError("a job that was refused has no folder"))
    assert stopped(now - 1, "continue", KeyboardInterrupt())
