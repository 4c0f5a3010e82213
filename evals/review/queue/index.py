"""Every figure of a run with its chance of being wrong: which to check next, and how many remain.

A thread reads the records once, seven bytes a figure stay; until it is through, answers are of what is
read so far. Documents on which people have worked come first, then those with findings.

The order of `unchecked`: figures whose reading an error doubts, then those that a warning doubts, then by
chance; what is equal in the order of the documents and, within one, of their places. What is needed for the
target is gone through document by document (queue_order.py). So is `flagged`, all that a finding names: a
finding that suspects the report does not make a misreading likelier, and does not put a figure before others
in `unchecked`. `sample` goes by fixed random numbers. What chances are is in risk.py, how many checks remain
in remaining.py.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from evals.review.library import Entry, Library
from evals.review.queue.order import Stretch, document_behind, first_in, first_of, lowest_needed
from evals.review.queue.reading import (
    CHANCES,
    CHECKED,
    CODES,
    FLAGGED,
    GONE,
    WRONG,
    DocumentFigures,
    by_place,
    read_figures,
)
from evals.review.queue.remaining import Audit, Checks, Remaining, remaining
from evals.review.queue.review_tail import ReviewTail
from evals.review.queue.sample_log import SampleLog
from evals.review.queue.state import Counts, DocumentRisk, Kind, Place, QueueState
from pipeline.errors import StartError
from pipeline.runs.record import RECORDS
from pipeline.runs.reviews import ReviewLog, Target

SEED = 20_190_515
_END_SECONDS = 5


class RiskIndex:
    """The queue of a run. All but the reading goes on in the thread of the server."""

    def __init__(self, library: Library, reviews: ReviewLog, seed: int = SEED) -> None:
        """Raises StartError where a log of the run folder cannot be read."""
        self._library, self._reviews, self._seed = library, reviews, seed
        self._sample = SampleLog(library.run)
        self._tail = ReviewTail(reviews.path)
        self._reviewed: set[str] = set()
        self._documents: list[DocumentRisk] = []
        self._codes: NDArray[np.uint16] = np.zeros(0, np.uint16)
        self._marks: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._ranks: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._firsts: list[int] = []
        self._owners: list[int] = []
        self._waiting: deque[DocumentRisk] = deque()
        self._counts: Counts | None = None
        self._held = 0
        self._is_busy = False
        self._is_closed = False
        self._changed = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._read_all, name="gongkai-queue", daemon=True)

    def start(self) -> None:
        """Begin to read the records; returns at once."""
        self.sync()
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)

    def wait(self, seconds: float) -> bool:
        """Wait until every document is read; whether it is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._is_busy, seconds)

    @contextmanager
    def held(self) -> Iterator[None]:
        """The thread reads no further meanwhile: the page that is being made has the processor to itself."""
        with self._changed:
            self._held += 1
        try:
            yield
        finally:
            with self._changed:
                self._held -= 1
                self._changed.notify_all()

    def sync(self) -> None:
        """Take up documents that the run has written and changes that people have made since."""
        entries = self._library.entries
        changed = self._tail.changed()
        with self._changed:
            self._reviewed |= changed
            new = self._make_room(entries)
            new.sort(key=self._urgency)
            self._waiting.extend(new)
            for doc_id in changed:
                number = self._library.number_of(doc_id)
                if number is not None:
                    self._look_again(self._documents[number - 1])
            self._changed.notify_all()

    def _make_room(self, entries: Iterable[Entry]) -> list[DocumentRisk]:
        """Room for documents that are new or were done again; their figures do not count until read."""
        new = []
        end = len(self._marks)
        for entry in entries:
            known = self._documents[entry.number - 1] if entry.number <= len(self._documents) else None
            if known is not None and (known.start, known.length) == (entry.start, entry.length):
                continue
            facts = entry.brief.fact_count
            made = DocumentRisk(entry.number, entry.doc_id, entry.start, entry.length, end, facts)
            if known is None:
                self._documents.append(made)
            else:
                self._marks[known.first : known.first + known.facts] = GONE
                self._counts = None
                self._documents[entry.number - 1] = made
            self._firsts.append(end)
            self._owners.append(entry.number)
            end += facts
            new.append(made)
        more = end - len(self._marks)
        if more:
            self._codes = np.concatenate([self._codes, np.zeros(more, np.uint16)])
            self._marks = np.concatenate([self._marks, np.full(more, GONE, np.uint8)])
            self._ranks = np.concatenate([self._ranks, np.zeros(more, np.uint32)])
        return new

    def _urgency(self, document: DocumentRisk) -> tuple[bool, int, int]:
        severities = self._library.entry(document.number).brief.rules
        errors = sum(count for (_, severity), count in severities.items() if severity == "error")
        warnings = sum(count for (_, severity), count in severities.items() if severity == "warning")
        return document.doc_id not in self._reviewed, -errors, -warnings

    def _look_again(self, document: DocumentRisk) -> None:
        if document.is_read:
            self._read(document)
        else:
            # It may be under way with the changes of before.
            self._waiting.append(document)

    def _read_all(self) -> None:
        while True:
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: (self._waiting and not self._held) or self._is_closed)
                if self._is_closed:
                    return
                document = self._waiting.popleft()
                self._is_busy = True
            self._read(document)

    def _read(self, document: DocumentRisk) -> None:
        try:
            read = self._figures(document)
        except (OSError, ValueError, KeyError, TypeError, StartError) as error:
            with self._changed:
                document.is_read, document.unread = True, str(error)
            return
        with self._changed:
            if self._documents[document.number - 1] is document:
                self._store(document, read)

    def _figures(self, document: DocumentRisk) -> DocumentFigures:
        with (self._library.run / RECORDS).open("rb") as stream:
            line = os.pread(stream.fileno(), document.length, document.start)
        read = read_figures(
            line,
            document.doc_id,
            self._seed,
            self._reviews.events_of if document.doc_id in self._reviewed else None,
            frozenset(self._sample.drawn.get(document.doc_id, ())),
        )
        if len(read.codes) != document.facts:
            raise ValueError(f"{document.facts} figures expected, {len(read.codes)} found")
        return read

    def _store(self, document: DocumentRisk, read: DocumentFigures) -> None:
        inside = slice(document.first, document.first + document.facts)
        self._codes[inside], self._marks[inside], self._ranks[inside] = read.codes, read.marks, read.ranks
        is_unchecked = read.marks & CHECKED == 0
        document.checked = document.facts - int(is_unchecked.sum())
        document.flagged = int((read.marks[is_unchecked] & FLAGGED != 0).sum())
        document.expected = float(CHANCES[read.codes[is_unchecked]].sum())
        document.top = int(read.codes.max(initial=0))
        document.top_flagged = int(read.codes[read.marks & FLAGGED != 0].max(initial=0))
        document.issuer, document.year, document.added = read.issuer, read.year, read.added
        document.drawn = dict(read.drawn)
        document.is_read, document.unread = True, None
        self._counts = None

    def document(self, number: int) -> DocumentRisk:
        """What is known of a document. IndexError where `sync` has not seen it."""
        return self._documents[number - 1]

    def next(
        self, kind: Kind, after: Place | None = None, within: int | None = None, target: float | None = None
    ) -> Place | None:
        """The next figure to look at behind `after`. None when none is left.

        Flagged figures and those needed for `target` come document by document; without a target, or
        when none is needed any more, unchecked ones strictly by chance. `within` keeps to one document.
        A sample cannot be chosen from: `after` does not count. There is none before every document is read.
        """
        with self._changed:
            if kind == "sample":
                return self._drawn()
            found = self._candidates(kind, within)
            if not len(found):
                return None
            index = None if after is None else self._index_of(after)
            needed = found if kind == "flagged" else self._needed(found, target)
            if len(needed):
                return self._place(self._next_by_document(needed, index, kind))
            return self._place(first_of(found, self._codes, index))

    def _needed(self, unchecked: NDArray[np.int64], target: float | None) -> NDArray[np.int64]:
        """Those that belong to the checks that remain for `target`."""
        if target is None:
            return unchecked[:0]
        counts = self._counted()
        lowest = lowest_needed(counts.unchecked, self._remaining(counts, target).count)
        return unchecked[:0] if lowest is None else unchecked[self._codes[unchecked] >= lowest]

    def _next_by_document(self, needed: NDArray[np.int64], after: int | None, kind: Kind) -> int:
        start = first_of(needed, self._codes) if after is None else after
        here = self._stretch(self._owner(start), kind)
        found = first_in(needed, here) if after is None else first_in(needed, here, after)
        if found is None:
            # Only now are all others looked at: most often the next one stands in the same document.
            others = [self._stretch(each, kind) for each in self._documents]
            found = first_in(needed, document_behind(needed, others, here))
        return first_of(needed, self._codes) if found is None else found

    def _stretch(self, document: DocumentRisk, kind: Kind) -> Stretch:
        top = document.top_flagged if kind == "flagged" else document.top
        return Stretch(document.number, document.first, document.facts, top)

    def _candidates(self, kind: Kind, within: int | None) -> NDArray[np.int64]:
        """Where the unchecked figures stand, or the flagged ones among them."""
        first, end = 0, len(self._marks)
        if within is not None:
            if not 1 <= within <= len(self._documents):
                return np.zeros(0, np.int64)
            document = self._documents[within - 1]
            first, end = document.first, document.first + document.facts
        wanted = CHECKED | GONE | (FLAGGED if kind == "flagged" else 0)
        found = np.flatnonzero(self._marks[first:end] & wanted == (wanted & FLAGGED))
        return found.astype(np.int64) + first

    def _drawn(self) -> Place | None:
        if self._waiting or self._is_busy:
            return None
        found = np.flatnonzero(self._marks & (CHECKED | GONE) == 0)
        if not len(found):
            return None
        index = int(found[np.argmin(self._ranks[found])])
        place = self._place(index)
        document = self._documents[place.number - 1]
        self._sample.draw(document.doc_id, place.key)
        document.drawn[place.key] = index - document.first
        return place

    def _owner(self, index: int) -> DocumentRisk:
        # Documents without figures share their beginning with the next one.
        owner = int(np.searchsorted(self._firsts, index, "right")) - 1
        return self._documents[self._owners[owner] - 1]

    def _place(self, index: int) -> Place:
        document = self._owner(index)
        return Place(document.number, self._keys(document)[index - document.first])

    def _index_of(self, place: Place) -> int | None:
        if not 1 <= place.number <= len(self._documents):
            return None
        document = self._documents[place.number - 1]
        keys = self._keys(document) if document.is_read and document.unread is None else []
        return document.first + keys.index(place.key) if place.key in keys else None

    def _keys(self, document: DocumentRisk) -> list[str]:
        facts = self._library.record(document.number).facts
        order = by_place([(fact.evidence.start, fact.evidence.end) for fact in facts])
        return [Target.of(facts[index]).key for index in order]

    def state(self, target: float, annotator: str = "") -> QueueState:
        """Where the review stands, and how many checks remain for `target`."""
        with self._changed:
            counts = self._counted()
            unchecked, checks = int(counts.unchecked.sum()), counts.checks
            figures = checks.count + unchecked
            return QueueState(
                documents_read=sum(document.is_read for document in self._documents),
                documents=len(self._documents),
                unread=sum(document.unread is not None for document in self._documents),
                figures=figures,
                checked=checks.count,
                flagged=sum(document.flagged for document in self._documents),
                added=sum(document.added for document in self._documents),
                checks=checks,
                remaining=self._remaining(counts, target),
                audit=self._audit(),
                seconds_a_check=self._tail.seconds_a_check(annotator),
            )

    def _remaining(self, counts: Counts, target: float) -> Remaining:
        figures = counts.checks.count + int(counts.unchecked.sum())
        return remaining(counts.unchecked[::-1], CHANCES[::-1], figures, target, counts.checks)

    def _counted(self) -> Counts:
        if self._counts is None:
            self._counts = self._count()
        return self._counts

    def _count(self) -> Counts:
        is_checked = self._marks & (CHECKED | GONE) == CHECKED
        is_unchecked = self._marks & (CHECKED | GONE) == 0
        found = int((self._marks[is_checked] & WRONG != 0).sum())
        of_checked = np.bincount(self._codes[is_checked], minlength=CODES)
        checks = Checks.of(of_checked, CHANCES, found)
        return Counts(np.bincount(self._codes[is_unchecked], minlength=CODES), checks)

    def _audit(self) -> Audit:
        marks = [
            int(self._marks[document.first + position])
            for document in self._documents
            for position in document.drawn.values()
        ]
        return Audit(sum(bool(mark & CHECKED) for mark in marks), sum(bool(mark & WRONG) for mark in marks))
