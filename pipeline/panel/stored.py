"""A record left in its run folder: a panel of 40,000 reports holds places in files, not the facts.

What is read of it are the facts in force: those of the machine with what people corrected.

A record with all three tables takes half a megabyte of memory as objects, its place 200 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.errors import StartError
from pipeline.fact import Record, RecordStatus
from pipeline.runs.in_force import record_in_force
from pipeline.runs.record import read_line
from pipeline.runs.reviews import ReviewEvent, Reviews

_RECORDS_KEPT = 64


@dataclass(frozen=True, slots=True, eq=False)
class StoredRecord:
    """Where a record stands (bytes of `records.jsonl`), and what is asked of it without reading it.

    `status` is that of the record as it was written; `reviews` are the changes of its run.
    """

    folder: Path
    start: int
    length: int
    doc_id: str
    sha256: str
    status: RecordStatus
    reviews: Reviews | None = None

    def load(self) -> Record:
        """The record with the facts in force, read when it is not among the last ones read.

        Raises StartError when the file has changed since.
        """
        return _load(self)

    def load_written(self) -> Record:
        """The record as it was written: the machine's reading."""
        return _read(self) if self.events else _load(self)

    @property
    def events(self) -> tuple[ReviewEvent, ...]:
        """What people said about its figures."""
        return () if self.reviews is None else self.reviews.events_of(self.doc_id)


@lru_cache(maxsize=_RECORDS_KEPT)
def _load(stored: StoredRecord) -> Record:
    return record_in_force(stored.folder, _read(stored), stored.events)


def _read(stored: StoredRecord) -> Record:
    record = read_line(stored.folder, stored.start, stored.length)
    if record.doc_id != stored.doc_id:
        raise StartError(
            f"{stored.folder}: its records have changed while they were read "
            f"({record.doc_id} stands where {stored.doc_id} stood). Run the same command again"
        )
    return record
