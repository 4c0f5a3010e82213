"""A document's figures and findings after what people said about them, as the page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter

from evals.review.figures.layout import sections_of
from evals.review.figures.places import SEVERITIES, Places
from evals.review.figures.views import FigureView, Section
from evals.review.queue.risk import concerns
from pipeline.checks import check_facts
from pipeline.fact import Fact, Finding, Record
from pipeline.runs.corrected import Figure, Orphan, Reviewed, reviewed
from pipeline.runs.reviews import ReviewEvent
from pipeline.runs.settled import findings_of_reading as findings_of_reading
from pipeline.runs.settled import of_tables
from pipeline.schema import fields

_LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class Link:
    """From a finding to a figure that it names."""

    slot: str
    label: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding. `is_done`: a person has looked at every figure that it names.

    `quote`: what is printed at its place, or the names of its fields, where there are no two sides.
    """

    finding: Finding
    links: tuple[Link, ...]
    is_done: bool
    quote: str

    @property
    def where(self) -> str:
        """The row, column or block that the message names, as the form calls it; "" where there is none."""
        named = self._message.startswith(", ") and ": " in self._message
        return self._message[2:].partition(": ")[0] if named else ""

    @property
    def said(self) -> str:
        """The message without the rule and the place, which stand beside it."""
        return (self._message.partition(": ")[2] if self.where else self._message).lstrip(",，: ")

    @property
    def _message(self) -> str:
        return self.finding.message.removeprefix(self.finding.rule)

    @property
    def has_sides(self) -> bool:
        """Whether two sides differ that can be shown without the message."""
        return self.finding.expected is not None or self.finding.printed is not None

    @property
    def is_plain(self) -> bool:
        """Whether rule, place, sides and print say it; else the message has to."""
        return bool(self.where or self.quote or self.has_sides)


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
    views = tuple(_finding_views(findings, found, places, text))
    last = max((event.number for event in events), default=0)
    return DocumentView(record, found, views, sections, last, text)


def _findings(
    record: Record, text: str | None, found: Reviewed, of_reading: Sequence[Finding]
) -> tuple[Finding, ...]:
    """Those of the reading, and the identities once more over the facts in force; the gravest first."""
    findings = record.findings
    in_force = tuple(figure.fact for figure in found.figures if figure.fact is not None)
    if text is not None and in_force != record.facts:
        checked = check_facts(text, in_force, record.templates, of_tables(record.findings))
        findings = (*of_reading, *checked)
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _finding_views(
    findings: Sequence[Finding], found: Reviewed, places: Places, text: str | None
) -> Iterator[FindingView]:
    of_path: dict[str, list[tuple[int, Figure, Fact]]] = {}
    for at, figure in enumerate(found.figures):
        fact = figure.fact or figure.machine
        if fact is not None:
            of_path.setdefault(fact.path, []).append((at, figure, fact))
    for finding in findings:
        named = [
            each for path in finding.paths for each in of_path.get(path, ()) if concerns(finding, each[2])
        ]
        about = [figure for _, figure, _ in sorted(named, key=itemgetter(0))]
        found_places = [place for figure in about if (place := places.of(figure.key)) is not None]
        # As in pipeline.runs.settled: a field without a figure was not looked at.
        is_named = {fact.path for *_, fact in named}.issuperset(finding.paths)
        is_done = bool(about) and is_named and all(figure.is_checked for figure in about)
        yield FindingView(finding, tuple(_links(found_places)), is_done, _quote(finding, text))


def _quote(finding: Finding, text: str | None) -> str:
    if finding.evidence and text is not None:
        place = finding.evidence[0]
        shown = " ".join(text[place.start : place.end].replace("\t", " │ ").split())
    else:
        labels = [spec.label for path in finding.paths if (spec := fields().get(path)) is not None]
        shown = "、".join(labels)
    return shown if len(shown) <= _LONGEST_QUOTE else f"{shown[:_LONGEST_QUOTE]}…"


def _links(places: Sequence[FigureView]) -> Iterator[Link]:
    """Of cells of one row, or one column, only what tells them apart is said."""
    names = [place.name.split(", ") for place in places]
    shared = {part for part in range(2) if len({tuple(name[part : part + 1]) for name in names}) == 1}
    for place, name in zip(places, names, strict=True):
        told = [text for part, text in enumerate(name) if part not in shared]
        yield Link(place.slot, ", ".join(told if told and len(places) > 1 else name))
