"""What the queue says: the next figure, a document's share, where the review stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evals.review.queue.remaining import Audit, Checks, Remaining

Kind = Literal["unchecked", "flagged", "sample"]


@dataclass(frozen=True, slots=True)
class Place:
    """A figure to look at."""

    number: int
    key: str


@dataclass(slots=True)
class DocumentRisk:
    """A document's share of the queue; its figures are `facts` from `first` on.

    `flagged`: unchecked figures that a finding names. `expected`: wrong ones among the unchecked by
    their chances. `top`, `top_flagged`: the highest code. `is_read` is False until the thread has come
    to it; `unread` says why its line cannot be read. `drawn`: figures of the sample, by key.
    """

    number: int
    doc_id: str
    start: int
    length: int
    first: int
    facts: int
    is_read: bool = False
    unread: str | None = None
    checked: int = 0
    flagged: int = 0
    expected: float = 0.0
    top: int = 0
    top_flagged: int = 0
    added: int = 0
    issuer: str | None = None
    year: int | None = None
    drawn: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueueState:
    """Where the review stands, by the documents read so far. `seconds_a_check` is the reviewer's pace."""

    documents_read: int
    documents: int
    unread: int
    figures: int
    checked: int
    flagged: int
    added: int
    checks: Checks
    remaining: Remaining
    audit: Audit
    seconds_a_check: float | None

    @property
    def is_complete(self) -> bool:
        """Whether every document has been read."""
        return self.documents_read == self.documents

    @property
    def unchecked(self) -> int:
        """Figures nobody has looked at."""
        return self.figures - self.checked


@dataclass(frozen=True, slots=True)
class Counts:
    """Unchecked figures by their code, and what checks found; until something changes."""

    unchecked: NDArray[np.int64]
    checks: Checks
