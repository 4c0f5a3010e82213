"""Two programs that know nothing: what the figures would be without any reading."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from evals.gold import Gold, GoldDocument
from evals.verdicts import Marked, mark
from pipeline.fact import Evidence, Fact, Source, Status

# What reports deny most often in words (domain.md §3).
DENIED_IN_WORDS = (
    "requests.new_received.total",
    "fees.charged_yuan",
    "fees.waived_yuan",
    "remedies.review.total",
    "remedies.litigation.total",
)
_NOWHERE = Evidence(start=0, end=0)


def nothing(gold: Gold) -> tuple[Marked, ...]:
    """States nothing at all."""
    return tuple(mark(document, ()) for document in gold.documents)


def all_zeros(gold: Gold) -> tuple[Marked, ...]:
    """States 0 in every cell of the tables, and in words for what reports deny most often."""
    return tuple(mark(document, _zeros(document)) for document in gold.documents)


def _zeros(document: GoldDocument) -> Sequence[Fact]:
    cells = [_zero(fact.path, "table", "value") for fact in document.facts if fact.source == "table"]
    return cells + [_zero(path, "narrative", "zero_in_words") for path in DENIED_IN_WORDS]


@cache
def _zero(path: str, source: Source, status: Status) -> Fact:
    return Fact(path=path, value=0, status=status, raw="0", source=source, method="rule", evidence=_NOWHERE)
