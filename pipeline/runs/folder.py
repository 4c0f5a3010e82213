"""A run folder: where its parts lie, and the lock that keeps a second run out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import RunLocked, StartError


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`records.jsonl` and `text/` are named in record.py, `run.json` in manifest.py."""

    path: Path

    @property
    def answers(self) -> Path:
        """The store of model answers."""
        return self.path / "answers.sqlite"

    @property
    def ledger(self) -> Path:
        """What was asked and paid."""
        return self.path / "ledger.sqlite"

    @property
    def batches(self) -> Path:
        """Questions that go out in batches, and what has come back."""
        return self.path / "batch.sqlite"

    @property
    def crashes(self) -> Path:
        """Tracebacks of documents on which the program itself failed, by hash."""
        return self.path / "crashes"

    @property
    def pid(self) -> Path:
        """The process that works on this folder; only meaningful while the lock is held."""
        return self.path / "run.pid"


@contextmanager
def locked(path: Path) -> Iterator[RunFolder]:
    """The run folder, made where it is missing, for this process alone.

    The lock belongs to the process: it is free again when that ends, however it ends.
    Raises RunLocked with the pid of the holder, StartError when the folder cannot be written.
    """
    folder = RunFolder(path)
    lock = FileLock(path / "run.lock", blocking=False)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise RunLocked(
            f"{path}: another run works on this folder (process {_holder(folder)}). "
            "Wait for its end, stop it, or name another folder with --out"
        ) from None
    except OSError as error:
        raise StartError(
            f"{path}: cannot be written ({error.strerror or error}). Name a folder of yours with --out"
        ) from error
    try:
        folder.pid.write_text(f"{os.getpid()}\n", encoding="ascii")
        yield folder
    finally:
        folder.pid.unlink(missing_ok=True)
        lock.release()


def _holder(folder: RunFolder) -> str:
    try:
        return folder.pid.read_text(encoding="ascii").strip() or "unknown"
    except OSError:
        return "unknown"
