"""Document views that were made last, kept: a change needs the view before it and the one after."""

from __future__ import annotations

import threading
from collections import OrderedDict

from evals.review.figures.document import DocumentView, document_view, findings_of_reading
from evals.review.settings import ReviewContext
from pipeline.fact import Finding, Record
from pipeline.runs.reviews import ReviewEvent

_MOST_VIEWS = 48
_MOST_READINGS = 256


class Views:
    """The views of a run's documents. Safe for several threads."""

    def __init__(self, context: ReviewContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        # By document and newest change; the record tells whether it was extracted anew since.
        self._views: OrderedDict[tuple[int, int], DocumentView] = OrderedDict()
        self._events: tuple[str, int, tuple[ReviewEvent, ...]] | None = None
        self._readings: OrderedDict[int, tuple[Record, tuple[Finding, ...]]] = OrderedDict()

    def events(self, doc_id: str) -> tuple[ReviewEvent, ...]:
        """Every change of a document, in order."""
        reviews = self._context.reviews
        if reviews is None:
            return ()
        # Nothing is ever taken out of the log: as long as there are as many changes, they are the same.
        count = len(reviews)
        with self._lock:
            if self._events is not None and self._events[:2] == (doc_id, count):
                return self._events[2]
        found = reviews.events_of(doc_id)
        with self._lock:
            self._events = (doc_id, count, found)
        return found

    def view(self, number: int, until: int | None = None) -> DocumentView:
        """The document as it is, or as it was when the newest change had the number `until`.

        Raises NoSuchDocument, StartError.
        """
        record = self._context.library.record(number)
        events = self.events(record.doc_id)
        if until is not None:
            events = tuple(event for event in events if event.number <= until)
        key = (number, events[-1].number if events else 0)
        with self._lock:
            known = self._views.get(key)
            if known is not None and known.record is record:
                self._views.move_to_end(key)
                return known
        text = self._context.library.text(number)
        made = document_view(record, text, events, self._of_reading(number, record, text))
        with self._lock:
            self._views[key] = made
            while len(self._views) > _MOST_VIEWS:
                self._views.popitem(last=False)
        return made

    def _of_reading(self, number: int, record: Record, text: str | None) -> tuple[Finding, ...]:
        with self._lock:
            known = self._readings.get(number)
        if known is not None and known[0] is record:
            return known[1]
        found = findings_of_reading(record, text)
        with self._lock:
            self._readings[number] = (record, found)
            while len(self._readings) > _MOST_READINGS:
                self._readings.popitem(last=False)
        return found
