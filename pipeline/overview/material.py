"""What the page is made of: an issuer in a year with its figures, findings and their prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.fact import Cause, Evidence, Fact, Finding, Record, Severity
from pipeline.panel.model import PanelRow

Value = int | float | str | None
# What a variable is drawn as: a part of the stacked outcomes, the line over them, a box (of shares or
# of days), or nothing.
Role = Literal["outcome", "received", "rate", "days", "other"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A harmonised variable or derived rate: names for people, and where the charts show it.

    `parts` are the names of the variables that a rate is made of: their prints are its own.
    """

    name: str
    label_zh: str
    label_en: str
    unit: str | None = None
    role: Role = "other"
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A variable's value for an issuer and year, and the facts that it was made from."""

    name: str
    value: Value
    status: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """A document and where its text is: `folder` is that of its run, None where that is not at hand."""

    doc_id: str
    sha256: str
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Operand:
    """A print that a finding speaks of; `other` is its document where that is not the row's own."""

    fact: Fact
    other: Paper | None = None


@dataclass(frozen=True, slots=True)
class PageFinding:
    """A finding with its prints, of one document or across several."""

    rule: str
    severity: Severity
    expected: Value
    printed: Value
    cause: Cause
    message: str
    at: str | None = None
    operands: tuple[Operand, ...] = ()

    @property
    def flags(self) -> bool:
        """Does it flag its figures: is it more than a note?"""
        return self.severity != "note"


@dataclass(frozen=True, slots=True)
class IssuerYear:
    """A row of the panel with all that the page tells of it; `paper` is the chosen document."""

    row: PanelRow
    record: Record
    paper: Paper
    figures: tuple[Figure, ...]
    findings: tuple[PageFinding, ...]

    @property
    def status(self) -> str:
        """Status of the chosen record; a finding across documents flags it as well."""
        is_flagged = any(finding.flags for finding in self.findings)
        return "flagged" if self.record.status == "ok" and is_flagged else self.record.status


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A document of the runs that is in no row of the panel, and why."""

    run: str
    doc_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Material:
    """Everything for a page. `rows` are sorted by issuer, then year, and gone through once."""

    runs: tuple[str, ...]
    variables: Sequence[Variable]
    rows: Iterable[IssuerYear]
    row_count: int
    unplaced: Sequence[Unplaced] = ()


def page_finding(finding: Finding, operands: Iterable[Operand]) -> PageFinding:
    """A finding of the checks with its prints."""
    return PageFinding(
        rule=finding.rule,
        severity=finding.severity,
        expected=finding.expected,
        printed=finding.printed,
        cause=finding.cause,
        message=finding.message,
        at=finding.at,
        operands=tuple(operands),
    )


def facts_meant(facts: Sequence[Fact], paths: Sequence[str], evidence: Sequence[Evidence]) -> list[Fact]:
    """The facts of a document that a finding speaks of: at its places, else all of its paths."""
    named = [fact for fact in facts if fact.path in paths]
    places = {(place.start, place.end) for place in evidence}
    return [fact for fact in named if (fact.evidence.start, fact.evidence.end) in places] or named
