"""MLflow's store in a run's folder."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

from diffstn.errors import UserError

STORE, ARTIFACTS = "mlflow.db", "mlartifacts"
COLUMNS = (("experiments", "artifact_location"), ("runs", "artifact_uri"))
"""Where a store says in which place its files lie."""


def local_store(folder: Path) -> tuple[str, str]:
    """Addresses of the store and of its files, both in `folder`.

    A store knows its place by the whole path. Of a folder that was moved, it is told the new one:
    nothing is written elsewhere.

    Raises:
        UserError: the file is no store, or its files cannot be told to lie here.
    """
    place = folder.resolve()
    path, files = place / STORE, (place / ARTIFACTS).as_uri()
    if path.exists():
        try:
            with closing(sqlite3.connect(path)) as store, store:
                for table, column in COLUMNS:
                    settle(store, table, column, files)
        except sqlite3.Error as error:
            raise UserError(
                f"logger=mlflow: {path} cannot be used ({error}); remove it and loggers.json"
            ) from None
    return f"sqlite:///{path}", files


def settle(store: sqlite3.Connection, table: str, column: str, files: str) -> None:
    """Make all addresses of a column begin with that of the files."""
    for row, address in store.execute(f"SELECT rowid, {column} FROM {table}").fetchall():
        _, found, rest = unquote(str(address)).partition(f"/{ARTIFACTS}")
        if not str(address).startswith(f"{files}/") or ".." in rest:
            rest = rest if found and ".." not in rest else f"/{row}"
            change = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
            store.execute(change, (files + rest, row))
