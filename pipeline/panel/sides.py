"""Two documents of one identity: what is asked of each, and how a breach between them is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.checks.findings import CERTAIN_METHODS, LOW_CONFIDENCE, touches
from pipeline.checks.operands import Reading
from pipeline.fact import Cause, Evidence, Fact, Finding
from pipeline.panel.model import Source


@dataclass(frozen=True, slots=True)
class OtherPlace:
    """A further document that an identity rests on, and where its figures are printed."""

    run: str
    doc_id: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class AcrossFinding:
    """A finding about two documents. `finding.evidence` is of `doc_id`, `other_evidence` of `other_doc_id`.

    `suspect` is the `doc_id` of the document whose own identities are broken where those of the other
    hold; None where nothing tells which is wrong. `further` are the other children of `level.sum`.
    """

    doc_id: str
    run: str
    other_doc_id: str
    other_run: str
    finding: Finding
    other_evidence: tuple[Evidence, ...]
    reporter_id: str = ""
    year: int | None = None
    suspect: str | None = None
    further: tuple[OtherPlace, ...] = ()


@dataclass(slots=True)
class Tally:
    """How many identities of each rule could be assessed, and how many could not."""

    assessed: Counter[str] = field(default_factory=Counter)
    not_assessable: Counter[str] = field(default_factory=Counter)

    def count(self, rule: str, *, is_assessable: bool) -> None:
        """Count an identity."""
        (self.assessed if is_assessable else self.not_assessable)[rule] += 1


@dataclass(frozen=True, slots=True)
class Side:
    """One document of an identity, read."""

    source: Source
    reading: Reading
    printed: frozenset[str]
    """Paths of the tables' cells, legible or not."""

    @classmethod
    def of(cls, source: Source, paths: Container[str]) -> Side:
        """Read a source, as far as it has table cells of `paths`."""
        record = source.record
        cells = tuple(fact for fact in record.facts if fact.source == "table" and fact.path in paths)
        # Without the text: whether evidence shows its print was checked within each document.
        reading = Reading("", cells, record.templates, record.findings)
        return cls(source, reading, frozenset(fact.path for fact in cells))

    def cells(self, paths: Iterable[str]) -> tuple[Fact, ...] | None:
        """The tables' exact figures for all of `paths`, or None when one of them is not usable."""
        return self.reading.cells(paths)


def suspected_cause(sides: Sequence[tuple[Side, Sequence[Fact]]]) -> Cause:
    """`scope` where the documents speak for different bodies; `reading` if anything speaks for a
    misreading on either side; `report` if all was read for certain."""
    facts = [fact for _, operands in sides for fact in operands]
    if len({fact.scope or "own" for fact in facts}) > 1:
        return "scope"
    if any(_is_doubted(side, fact) for side, operands in sides for fact in operands):
        return "reading"
    return "report" if all(_is_certain(fact) for fact in facts) else "unknown"


def _is_doubted(side: Side, fact: Fact) -> bool:
    if fact.confidence is not None and fact.confidence < LOW_CONFIDENCE:
        return True
    return any(
        (finding.rule.startswith("table.") and touches(finding, [fact]))
        or (finding.cause == "reading" and fact.path in finding.paths)
        for finding in side.reading.findings
    )


def _is_certain(fact: Fact) -> bool:
    return fact.method in CERTAIN_METHODS if fact.confidence is None else fact.confidence >= 1.0
