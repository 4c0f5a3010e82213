"""A record left in its run folder: a panel of 40,000 reports holds places in files, not the facts.

What is read of it are the facts in force: those of the machine with what people corrected.

A record with all three tables takes half a megabyte of memory as objects, its place 200 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.errors import StartError
from pipeline.fact import Finding, Record, RecordStatus
from pipeline.runs.corrected import Changed, Edits, Orphan, Verdict, changed
from pipeline.runs.in_force import findings_of, left_with
from pipeline.runs.record import read_line
from pipeline.runs.reviews import ReviewEvent, Reviews

_RECORDS_KEPT = 64
_WRITTEN_KEPT = 2


@dataclass(slots=True)
class Review:
    """What people's changes of a record come to, worked out once for all that reads it.

    `verdicts` are those of the figures that somebody looked at. A finding of the written record is kept
    as its place there.
    """

    verdicts: tuple[Verdict, ...]
    orphaned: tuple[Orphan, ...]
    edits: Edits
    findings: tuple[int | Finding, ...] | None = None

    @classmethod
    def of(cls, found: Changed) -> Review:
        """The review of a record."""
        verdicts = tuple(figure.verdict for figure in found.figures if figure.is_checked)
        return cls(verdicts, found.orphaned, found.edits)


@dataclass(frozen=True, slots=True, eq=False)
class StoredRecord:
    """Where a record stands (bytes of `records.jsonl`), and what is asked of it without reading it.

    `status` is that of the record as it was written; `reviews` are the changes of its run, `review`
    what those of the record come to, None where there are none.
    """

    folder: Path
    start: int
    length: int
    doc_id: str
    sha256: str
    status: RecordStatus
    reviews: Reviews | None = None
    review: Review | None = None

    def load(self) -> Record:
        """The record with the facts in force, read when it is not among the last ones read.

        Raises StartError when the file has changed since.
        """
        return _load(self)

    def load_written(self) -> Record:
        """The record as it was written: the machine's reading."""
        return _load(self) if self.review is None else _read(self)

    def load_changed(self) -> Changed:
        """The record as it was written with what people said of its figures."""
        return changed(self.load_written(), self.events)

    @property
    def events(self) -> tuple[ReviewEvent, ...]:
        """What people said about its figures."""
        return () if self.reviews is None else self.reviews.events_of(self.doc_id)


@lru_cache(maxsize=_RECORDS_KEPT)
def _load(stored: StoredRecord) -> Record:
    review = stored.review
    if review is None:
        return _read_anew(stored)
    record = _read(stored)
    if review.findings is None:
        found = findings_of(stored.folder, stored.load_changed())
        written = record.findings
        review.findings = tuple(written.index(each) if each in written else each for each in found)
    findings = tuple(record.findings[each] if isinstance(each, int) else each for each in review.findings)
    return left_with(record, review.edits.applied(record.facts), findings)


@lru_cache(maxsize=_WRITTEN_KEPT)
def _read(stored: StoredRecord) -> Record:
    """The table facts asks for both readings of a record."""
    return _read_anew(stored)


def _read_anew(stored: StoredRecord) -> Record:
    record = read_line(stored.folder, stored.start, stored.length)
    if record.doc_id != stored.doc_id:
        raise StartError(
            f"{stored.folder}: its records have changed while they were read "
            f"({record.doc_id} stands where {stored.doc_id} stood). Run the same command again"
        )
    return record
