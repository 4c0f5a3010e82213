"""A record left in its run folder: a panel of 40,000 reports holds places in files, not the facts.

A record with all three tables takes half a megabyte of memory as objects, its place 200 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.errors import StartError
from pipeline.fact import Record, RecordStatus
from pipeline.runs.record import read_line

_RECORDS_KEPT = 64


@dataclass(frozen=True, slots=True, eq=False)
class StoredRecord:
    """Where a record stands (bytes of `records.jsonl`), and what is asked of it without reading it."""

    folder: Path
    start: int
    length: int
    doc_id: str
    sha256: str
    status: RecordStatus

    def load(self) -> Record:
        """The record, read when it is not among the last ones read.

        Raises StartError when the file has changed since.
        """
        return _load(self)


@lru_cache(maxsize=_RECORDS_KEPT)
def _load(stored: StoredRecord) -> Record:
    record = read_line(stored.folder, stored.start, stored.length)
    if record.doc_id != stored.doc_id:
        raise StartError(
            f"{stored.folder}: its records have changed while they were read "
            f"({record.doc_id} stands where {stored.doc_id} stood). Run the same command again"
        )
    return record
