"""Print that was recognised in a picture: below a confidence it is illegible, never a guess.

The threshold is measured (`python -m evals.benchmarks.ocr`): of cells recognised with less,
half were wrong; of those with more, none of some ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.document import Document, Span
from pipeline.fact import Fact, Finding

LEGIBLE = 0.9
# Facts whose value is a name or a text: one unsure character leaves it what it is.
_WORDS = ("meta.issuer", "meta.level", "meta.division_code", "text.")


def is_legible(confidence: float | None) -> bool:
    """Whether print may be taken for read; characters that were not recognised but printed always are."""
    return confidence is None or confidence >= LEGIBLE


def capped(confidence: float, recogniser: float | None) -> float:
    """A fact's confidence: no more than that of the recogniser where there was one."""
    return round(confidence if recogniser is None else min(confidence, recogniser), 2)


def how_sure(confidence: float) -> str:
    """The recogniser's confidence for a message."""
    return f"recognised in a picture (OCR), {confidence:.0%} sure"


def by_legibility(document: Document, facts: Iterable[Fact]) -> tuple[tuple[Fact, ...], tuple[Finding, ...]]:
    """The facts, figures of prose and metadata that were not surely recognised as `illegible`.

    Names and texts are kept as recognised, with that confidence, and a note where it is low; the
    table reader has judged its cells itself. The findings are `reading.illegible` and `reading.unsure`.
    """
    kept: list[Fact] = []
    findings: list[Finding] = []
    for fact in facts:
        sure = document.confidence_of(Span(fact.evidence.start, fact.evidence.end))
        if sure is None or fact.source == "table":
            kept.append(fact)
        elif is_legible(sure) or fact.path.startswith(_WORDS):
            confidence = capped(1.0 if fact.confidence is None else fact.confidence, sure)
            kept.append(fact.model_copy(update={"confidence": confidence}))
            findings += [] if is_legible(sure) else [_unsure(fact, sure)]
        else:
            kept.append(fact.model_copy(update={"value": None, "status": "illegible", "confidence": 0.0}))
            findings.append(_illegible(fact, sure))
    return tuple(kept), tuple(findings)


def _unsure(fact: Fact, sure: float) -> Finding:
    return Finding(
        rule="reading.unsure",
        severity="note",
        paths=(fact.path,),
        cause="reading",
        message=f"{fact.path}: a character may be another one: {fact.raw} ({how_sure(sure)})",
        evidence=(fact.evidence,),
    )


def _illegible(fact: Fact, sure: float) -> Finding:
    return Finding(
        rule="reading.illegible",
        severity="warning",
        paths=(fact.path,),
        cause="reading",
        message=f"{fact.path}: cannot be read: {fact.raw} ({how_sure(sure)})",
        evidence=(fact.evidence,),
    )
