"""A document's figures and findings after what people said about them, as the page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from evals.review.figures.layout import sections_of
from evals.review.figures.places import SEVERITIES, Places
from evals.review.figures.views import FigureView, Section
from evals.review.queue.risk import concerns
from pipeline.checks import check_facts
from pipeline.fact import Finding, Record
from pipeline.runs.corrected import Figure, Orphan, Reviewed, reviewed
from pipeline.runs.reviews import ReviewEvent


@dataclass(frozen=True, slots=True)
class Link:
    """From a finding to a figure that it names."""

    slot: str
    label: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding. `is_done`: a person has looked at every figure that it names."""

    finding: Finding
    links: tuple[Link, ...]
    is_done: bool

    @property
    def said(self) -> str:
        """The message without the rule, which stands beside it."""
        return self.finding.message.removeprefix(self.finding.rule).lstrip(",，: ")


@dataclass(frozen=True, slots=True)
class Counts:
    """Figures of the document; `flagged` ones are not checked yet."""

    total: int
    checked: int
    flagged: int

    @property
    def unchecked(self) -> int:
        """Those that nobody has looked at."""
        return self.total - self.checked


@dataclass(frozen=True)
class DocumentView:
    """All of it. `last` is the number of the newest change that is in it, 0 for none."""

    record: Record
    reviewed: Reviewed
    findings: tuple[FindingView, ...]
    sections: tuple[Section, ...]
    last: int
    text: str | None = field(repr=False)

    @cached_property
    def places(self) -> Mapping[str, FigureView]:
        """Every place by its slot, in the order of the page."""
        return {
            cell.slot: cell
            for section in self.sections
            for grid in section.grids
            for row in grid.rows
            for cell in row.cells
        }

    def place_of(self, key: str) -> FigureView | None:
        """The place that shows a figure."""
        return next((place for place in self.places.values() if key and place.key == key), None)

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """Every figure by its key."""
        return {figure.key: figure for figure in self.reviewed.figures}

    @cached_property
    def counts(self) -> Counts:
        """How far the document is checked."""
        found = [place for place in self.places.values() if place.key]
        checked = sum(place.kind == "checked" for place in found)
        return Counts(len(found), checked, sum(place.kind == "flagged" for place in found))

    @property
    def orphaned(self) -> tuple[Orphan, ...]:
        """Changes that apply to no figure of the record as it is now."""
        return self.reviewed.orphaned

    def findings_about(self, key: str) -> tuple[FindingView, ...]:
        """The findings that name a figure."""
        figure = self.figures[key]
        fact = figure.fact or figure.machine
        return tuple(each for each in self.findings if fact is not None and concerns(each.finding, fact))


def document_view(
    record: Record,
    text: str | None,
    events: Sequence[ReviewEvent],
    of_reading: Sequence[Finding] | None = None,
) -> DocumentView:
    """The view after `events`, those of the document in order.

    `of_reading` is what `findings_of_reading` gave, where it is known.
    """
    found = reviewed(record, events)
    if of_reading is None:
        of_reading = findings_of_reading(record, text) if events else record.findings
    findings = _findings(record, text, found, of_reading)
    places = Places(text, found, findings)
    sections = tuple(sections_of(record, places))
    views = tuple(_finding_views(findings, found, places))
    last = max((event.number for event in events), default=0)
    return DocumentView(record, found, views, sections, last, text)


def findings_of_reading(record: Record, text: str | None) -> tuple[Finding, ...]:
    """The findings that no identity made: they stay whatever people correct."""
    if text is None:
        return record.findings
    made = check_facts(text, record.facts, record.templates, _of_tables(record))
    return tuple(finding for finding in record.findings if finding not in made)


def _of_tables(record: Record) -> tuple[Finding, ...]:
    return tuple(finding for finding in record.findings if finding.rule.startswith("table."))


def _findings(
    record: Record, text: str | None, found: Reviewed, of_reading: Sequence[Finding]
) -> tuple[Finding, ...]:
    """Those of the reading, and the identities once more over the facts in force; the gravest first."""
    findings = record.findings
    in_force = tuple(figure.fact for figure in found.figures if figure.fact is not None)
    if text is not None and in_force != record.facts:
        checked = check_facts(text, in_force, record.templates, _of_tables(record))
        findings = (*of_reading, *checked)
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _finding_views(findings: Sequence[Finding], found: Reviewed, places: Places) -> Iterator[FindingView]:
    for finding in findings:
        about = [
            figure
            for figure in found.figures
            if (fact := figure.fact or figure.machine) is not None and concerns(finding, fact)
        ]
        found_places = [place for figure in about if (place := places.of(figure.key)) is not None]
        yield FindingView(
            finding, tuple(_links(found_places)), bool(about) and all(figure.is_checked for figure in about)
        )


def _links(places: Sequence[FigureView]) -> Iterator[Link]:
    """Of cells of one row, or one column, only what tells them apart is said."""
    names = [place.name.split(", ") for place in places]
    shared = {part for part in range(2) if len({tuple(name[part : part + 1]) for name in names}) == 1}
    for place, name in zip(places, names, strict=True):
        told = [text for part, text in enumerate(name) if part not in shared]
        yield Link(place.slot, ", ".join(told if told and len(places) > 1 else name))
