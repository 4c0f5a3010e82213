"""Two runs beside each other: which documents are the same, and how much differs in each.

Documents are the same when their files have one SHA-256, else when they have one `doc_id`. The
differences are counted in a thread: 5,000 documents take longer than anyone waits for a page.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from evals.review.comparison.differences import Comparison, compare_records
from evals.review.comparison.same_documents import PairedDocument, hashes_of, paired
from evals.review.library import Entry, Library
from pipeline.errors import GongkaiError
from pipeline.fact import Record
from pipeline.runs.record import RECORDS, read_line, text_path
from pipeline.runs.reviews import REVIEWS, Reviews, read_reviews

# Between two documents: pages are answered by the same process.
_REST_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Counted:
    """How much differs in a document, and of what sort. `fault`: it could not be compared."""

    facts: int = 0
    findings: int = 0
    forms: int = 0
    same_text: bool = True
    fault: str = ""

    @property
    def total(self) -> int:
        """All differences."""
        return self.facts + self.findings + self.forms


class LatestReviews:
    """The review log of a run that somebody may be writing: read again when it has changed."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._guard = threading.Lock()
        self._stamp = self._stamp_now()
        self._reviews = read_reviews(run)

    def now(self) -> Reviews:
        """The changes as they stand in the file. Raises StartError where a line is damaged."""
        with self._guard:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._reviews, self._stamp = read_reviews(self._run), stamp
            return self._reviews

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            found = (self._run / REVIEWS).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


class ComparedRuns:
    """Two runs. `start` counts in a thread; `close` ends that. Safe for several threads."""

    def __init__(self, one: Library, other: Library) -> None:
        self.one, self.other = one, other
        hashes = hashes_of(one), hashes_of(other)
        self.pairs = tuple(paired(one, other, *hashes))
        self._by_number = {pair.one: pair for pair in self.pairs}
        paired_other = {pair.other for pair in self.pairs}
        self.only_one = tuple(each.doc_id for each in one.entries if each.number not in self._by_number)
        self.only_other = tuple(each.doc_id for each in other.entries if each.number not in paired_other)
        self._counted: dict[int, Counted] = {}
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._reviews = (LatestReviews(one.run), LatestReviews(other.run))

    def pair(self, number: int) -> PairedDocument | None:
        """The document with this number in the first run, if both have it."""
        return self._by_number.get(number)

    def counted(self, number: int) -> Counted | None:
        """How much differs in a document; None where it was not counted yet."""
        return self._counted.get(number)

    @property
    def done(self) -> int:
        """How many documents were counted."""
        return len(self._counted)

    def ordered(self) -> list[PairedDocument]:
        """The documents with the most differences first; those not counted yet last, in the run's order."""

        def rank(pair: PairedDocument) -> tuple[int, int]:
            counted = self._counted.get(pair.one)
            return (1 if counted is None else -counted.total if not counted.fault else 0, pair.one)

        return sorted(self.pairs, key=rank)

    def compare(self, pair: PairedDocument) -> Comparison:
        """The differences of one document, with what people said.

        Raises StartError where a record is damaged.
        """
        records = self.one.record(pair.one), self.other.record(pair.other)
        same_text = self._same_text(*records)
        events = [
            reviews.now().events_of(record.doc_id)
            for reviews, record in zip(self._reviews, records, strict=True)
        ]
        found = compare_records(*records, same_text, *events)
        self._counted[pair.one] = _counted(found)
        return found

    def start(self) -> None:
        """Begin to count; once."""
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._count, name="compare", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the counting."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(10)

    def _count(self) -> None:
        for pair in self.pairs:
            if self._ending.is_set():
                return
            if pair.one not in self._counted:
                self._counted[pair.one] = self._count_one(pair)
                time.sleep(_REST_SECONDS)

    def _count_one(self, pair: PairedDocument) -> Counted:
        entries = self.one.entry(pair.one), self.other.entry(pair.other)
        try:
            lines = [_line(lib, entry) for lib, entry in zip((self.one, self.other), entries, strict=True)]
            if _content(lines[0]) == _content(lines[1]) is not None:
                return Counted()
            records = [
                read_line(library.run, entry.start, entry.length)
                for library, entry in zip((self.one, self.other), entries, strict=True)
            ]
            return _counted(compare_records(records[0], records[1], self._same_text(*records)))
        except (GongkaiError, OSError) as error:
            return Counted(fault=str(error))

    def _same_text(self, one: Record, other: Record) -> bool:
        paths = [text_path(self.one.run, one.sha256), text_path(self.other.run, other.sha256)]
        if not all(path.is_file() for path in paths):
            return one.sha256 == other.sha256
        if paths[0].stat().st_size != paths[1].stat().st_size:
            return False
        return paths[0].read_bytes() == paths[1].read_bytes()


def _counted(found: Comparison) -> Counted:
    return Counted(len(found.facts), len(found.findings), len(found.forms), found.same_text)


def _line(library: Library, entry: Entry) -> bytes:
    with (library.run / RECORDS).open("rb") as records:
        return os.pread(records.fileno(), entry.length, entry.start)


def _content(line: bytes) -> bytes | None:
    """What can differ in a record's line: all but what it cost. None where the line is not as expected."""
    head, found, tail = line.partition(b',"usage":')
    return head if found and b'"facts":' in head and tail else None
