"""MLflow's store in a run's folder, also in one that was moved or comes from a stranger."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from diffstn.callbacks.mlflow_store import local_store
from diffstn.errors import UserError


def store(folder: Path, *addresses: str) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "mlflow.db")) as made, made:
        made.execute("CREATE TABLE experiments (experiment_id INTEGER, artifact_location TEXT)")
        made.execute("CREATE TABLE runs (run_uuid TEXT, artifact_uri TEXT)")
        for address in addresses:
            made.execute("INSERT INTO experiments VALUES (1, ?)", (address,))
            made.execute("INSERT INTO runs VALUES ('a', ?)", (f"{address}/a/artifacts",))


def addresses(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as made:
        found = made.execute("SELECT artifact_location FROM experiments").fetchall()
        return [row[0] for row in found + made.execute("SELECT artifact_uri FROM runs").fetchall()]


def test_a_new_one_is_in_the_folder(tmp_path: Path):
    here = tmp_path.resolve()
    assert local_store(tmp_path) == (f"sqlite:///{here}/mlflow.db", f"file://{here}/mlartifacts")
    assert not list(tmp_path.iterdir())


def test_one_that_was_moved_is_told_its_place(tmp_path: Path):
    store(tmp_path / "here", "file:///there/run/mlartifacts")
    _, files = local_store(tmp_path / "here")
    assert addresses(tmp_path / "here") == [f"{files}", f"{files}/a/artifacts"]
    local_store(tmp_path / "here")
    assert addresses(tmp_path / "here") == [f"{files}", f"{files}/a/artifacts"]


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc",
        "/root/.ssh",
        "file:///x/mlartifacts/../../etc",
        "file:///x/mlartifacts/%2e%2e/etc",
        "s3://bucket/mlartifactsx",
    ],
)
def test_a_stranger_s_store_sends_nothing_elsewhere(tmp_path: Path, address: str):
    store(tmp_path / "here", address)
    _, files = local_store(tmp_path / "here")
    found = addresses(tmp_path / "here")
    assert all(one.startswith(files) and ".." not in one for one in found), found


def test_a_damaged_one_is_named(tmp_path: Path):
    (tmp_path / "mlflow.db").write_bytes(b"nonsense" * 1000)
    with pytest.raises(UserError, match=r"mlflow.db cannot be used .* remove it and loggers.json"):
        local_store(tmp_path)
    (tmp_path / "mlflow.db").unlink()
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as made, made:
        made.execute("CREATE TABLE others (name TEXT)")
    with pytest.raises(UserError, match="no such table"):
        local_store(tmp_path)
