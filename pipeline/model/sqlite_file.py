"""One SQLite file in WAL mode: opened or made, written from several threads, its faults in plain words."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

from pipeline.errors import StartError

_BUSY_SECONDS = 60.0


class SqliteFile:
    """Safe for several threads and processes. Subclasses say what it holds and make their tables."""

    what: ClassVar[str] = "file"
    format_version: ClassVar[int] = 1

    def __init__(self, path: Path) -> None:
        """Open or make the file; StartError when it is damaged, foreign or cannot be written."""
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"cannot make the folder of the {self.what} {path}: {error}") from error
        with self.guarded():
            self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
            self._prepare()

    def create(self, connection: sqlite3.Connection, version: int) -> None:
        """Make the tables, or bring those of an older format (`version` above 0) up to date."""
        raise NotImplementedError

    def _prepare(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > self.format_version:
            raise StartError(
                f"{self.path} has format {version}, this version reads {self.format_version}: "
                "move it away and run again"
            )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        if version < self.format_version:
            self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        """In one transaction: another process may do the same, and half of it would be no format."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version < self.format_version:
                self.create(self._connection, version)
                self._connection.execute(f"PRAGMA user_version={self.format_version}")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """One thread at a time; what SQLite complains of becomes a StartError."""
        try:
            with self._lock:
                yield
        except sqlite3.OperationalError as error:
            raise StartError(f"the {self.what} {self.path} cannot be used: {error}") from error
        except sqlite3.DatabaseError as error:
            raise StartError(
                f"the {self.what} {self.path} is damaged or none at all ({error}): move it away and run again"
            ) from error

    def write(self, statement: str, values: Sequence[Any], *, commit: bool) -> None:
        """Write; without `commit` it is on disk with the next write that has it, or with `commit()`."""
        with self.guarded():
            try:
                self._connection.execute(statement, values)
            except UnicodeEncodeError:
                self._connection.execute(statement, [_storable(value) for value in values])
            if commit:
                self._connection.commit()

    def commit(self) -> None:
        """Bring to disk what was written without."""
        with self.guarded():
            self._connection.commit()

    def read_one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """The first row, or None."""
        with self.guarded():
            return self._connection.execute(statement, values).fetchone()

    def read_all(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows."""
        with self.guarded():
            return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Commit and close; the file cannot be used afterwards."""
        with self.guarded():
            try:
                self._connection.commit()
            finally:
                self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _storable(value: Any) -> Any:
    """Text without halves of characters, which SQLite does not take."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
