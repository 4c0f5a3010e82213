"""A store of answers that is only read: nothing in its folder is made or changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Self

from pipeline.errors import StartError
from pipeline.fact import Usage
from pipeline.model.answers import OnlyRead, StoredAnswer


class KnownAnswers(OnlyRead):
    """The answers of `answers.sqlite`, without what they cost; none where there is no such file."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises StartError where it is no store of answers."""
        self.path = path
        self._connection: sqlite3.Connection | None = None
        if path.is_file():
            try:
                self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?{_mode(path)}", uri=True)
                self.get("")
            except sqlite3.Error as error:
                self.close()
                raise StartError(f"{path} cannot be read as a store of answers: {error}") from error

    def get(self, key: str) -> StoredAnswer | None:
        """The answer stored under `key`, or None."""
        if self._connection is None:
            return None
        row = self._connection.execute("SELECT content, is_cut FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else StoredAnswer(row[0], Usage(), None, "", bool(row[1]))

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _mode(path: Path) -> str:
    """Without a log beside it SQLite would make one even to read, unless told that nobody writes.

    Where one is there, a run has the store open or was killed: what is in the log counts too.
    """
    return "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
