"""Which identities do made-up reports break, reckoned from what they print and from nothing that was read.

A second writing of the rules, apart from `pipeline.checks` and `pipeline.panel.across`, so that the
findings that must come are known without them. A broken identity is the document, the rule and the
fields that take part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from made_figures import DOCUMENT_KINDS, ITEM_KINDS, PEOPLE
from made_prints import ISSUED, LAWSUITS, MAIL, ONLINE, RECEIVED, REVIEWS
from made_reports import ExpectedFact

from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, outcome_rows

Number = float

CHANNELS = tuple(f"proactive.channel.{channel}" for channel in ("website", "wechat", "other"))
ROWS_2019, ROWS_2021 = outcome_rows("table2019"), outcome_rows("table2021")
_TOTAL = APPLICANTS[-1]
_LAWSUIT_CELLS = ("remedies.litigation_direct.total", "remedies.litigation_after_review.total")
_STATISTICS_SUMS: Mapping[str, tuple[str, ...]] = {
    "received_total": ("received_in_person", "received_fax", "received_online", "received_mail"),
    "concluded_total": ("concluded_on_time", "concluded_extended"),
    "review_total": ("review_upheld", "review_corrected", "review_other"),
    "litigation_total": ("litigation_upheld", "litigation_corrected", "litigation_other"),
    "staff_total": ("staff_full_time", "staff_part_time"),
}
_IN_BOTH: Mapping[str, tuple[str, str]] = {
    "proactive.total": ("cross.proactive", "disclosed_total"),
    "proactive.channel.website": ("cross.proactive", "disclosed_website"),
    "proactive.channel.wechat": ("cross.proactive", "disclosed_wechat"),
    "engagement.interpretations": ("cross.engagement", "interpretations"),
    "capacity.trainings": ("cross.capacity", "trainings"),
    ISSUED: ("cross.normative_documents", "normative_documents_issued"),
    RECEIVED: ("cross.requests", "received_total"),
    ONLINE: ("cross.requests", "received_online"),
    MAIL: ("cross.requests", "received_mail"),
    REVIEWS: ("cross.remedies", "review_total"),
    LAWSUITS: ("cross.remedies", "litigation_total"),
}
"""Prose field → rule and row of the statistics table that says the same."""


@dataclass(frozen=True, order=True)
class Broken:
    """An identity that does not hold: where, which, between which fields."""

    doc_id: str
    rule: str
    paths: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.doc_id} {self.rule}: {', '.join(self.paths)}"

    @classmethod
    def of(cls, doc_id: str, rule: str, paths: Iterable[str]) -> Broken:
        """With the paths in alphabetical order, each once."""
        return cls(doc_id, rule, tuple(sorted(set(paths))))


@dataclass(frozen=True)
class Printed:
    """What a report prints, as numbers and dates."""

    doc_id: str
    cells: Mapping[str, Number]
    prose: Mapping[str, ExpectedFact]
    meta: Mapping[str, str]

    @classmethod
    def of(cls, doc_id: str, facts: Iterable[ExpectedFact]) -> Printed:
        """From the facts that a report holds."""
        every = list(facts)
        return cls(
            doc_id,
            {f.path: float(f.value) for f in every if f.source == "table" and f.status == "value"},
            {f.path: f for f in every if f.source == "narrative"},
            {f.path: f.value for f in every if f.source == "metadata"},
        )

    def has(self, paths: Iterable[str]) -> bool:
        """Whether all of these cells print a figure."""
        return all(path in self.cells for path in paths)

    def sum(self, paths: Iterable[str]) -> Number:
        """The sum of cells."""
        return round(sum(self.cells[path] for path in paths), 6)

    def said(self, path: str) -> Number | None:
        """A figure of the prose, None where it is not mentioned."""
        fact = self.prose.get(path)
        return None if fact is None else float(fact.value)


def broken_within(printed: Printed) -> Iterator[Broken]:
    """The identities within one report."""
    for rule, paths in (
        *_requests(printed),
        *_remedies(printed),
        *_statistics(printed),
        *_prose_and_tables(printed),
        *_dates(printed),
    ):
        yield Broken.of(printed.doc_id, rule, paths)


_Breach = tuple[str, tuple[str, ...]]


def _requests(printed: Printed) -> Iterator[_Breach]:
    for row in {"new_received", "carried_in", *ROWS_2019, *ROWS_2021, "concluded", "carried_out"}:
        parts, whole = [f"requests.{row}.{person}" for person in PEOPLE], f"requests.{row}.{_TOTAL}"
        if printed.has((*parts, whole)) and printed.sum(parts) != printed.cells[whole]:
            yield "requests.row_total", (*parts, whole)
    rows = ROWS_2021 if "requests.other_misc.total" in printed.cells else ROWS_2019
    for column in APPLICANTS:
        yield from _column(printed, rows, column)


def _column(printed: Printed, rows: Iterable[str], column: str) -> Iterator[_Breach]:
    parts, whole = [f"requests.{row}.{column}" for row in rows], f"requests.concluded.{column}"
    if printed.has((*parts, whole)) and printed.sum(parts) != printed.cells[whole]:
        yield "requests.outcome_total", (*parts, whole)
    came = [f"requests.{row}.{column}" for row in ("new_received", "carried_in")]
    went = [f"requests.{row}.{column}" for row in ("concluded", "carried_out")]
    if printed.has((*came, *went)) and printed.sum(came) != printed.sum(went):
        yield "requests.balance", (*came, *went)


def _remedies(printed: Printed) -> Iterator[_Breach]:
    for block in REMEDY_BLOCKS:
        *parts, whole = (f"remedies.{block}.{outcome}" for outcome in OUTCOMES)
        if printed.has((*parts, whole)) and printed.sum(parts) != printed.cells[whole]:
            yield "remedies.total", (*parts, whole)


def _statistics(printed: Printed) -> Iterator[_Breach]:
    for whole, parts in _STATISTICS_SUMS.items():
        paths = [f"statistics.{key}" for key in (*parts, whole)]
        if printed.has(paths) and printed.sum(paths[:-1]) != printed.cells[paths[-1]]:
            yield "stat2014.total", tuple(paths)


def _prose_and_tables(printed: Printed) -> Iterator[_Breach]:
    for path, rule, cells in _restated(printed):
        said = printed.said(path)
        if said is None or not printed.has(cells) or said == printed.sum(cells):
            continue
        is_denied = printed.prose[path].status == "zero_in_words"
        yield ("cross.zero" if is_denied else rule), (path, *cells)
    for whole, parts in (("proactive.total", CHANNELS), (RECEIVED, (ONLINE, MAIL))):
        numbers = [printed.said(path) for path in (whole, *parts)]
        if None not in numbers and numbers[0] != sum(n for n in numbers[1:] if n is not None):
            yield "narrative.closed_list", (whole, *parts)


def _restated(printed: Printed) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Fields of the prose with the cells whose sum they say again."""
    for path, (rule, key) in _IN_BOTH.items():
        yield path, rule, (f"statistics.{key}",)
    yield RECEIVED, "cross.requests", (RECEIVED,)
    yield REVIEWS, "cross.remedies", (REVIEWS,)
    yield LAWSUITS, "cross.remedies", _LAWSUIT_CELLS
    for column in ("made", "issued"):
        yield ISSUED, "cross.normative_documents", (f"proactive.normative_documents.{column}",)


def _dates(printed: Printed) -> Iterator[_Breach]:
    year = int(printed.meta["meta.year"])
    for edge, due in (("start", date(year, 1, 1)), ("end", date(year, 12, 31))):
        path = f"meta.period_{edge}"
        day = date.fromisoformat(printed.meta[path])
        if day != due:
            yield ("meta.period" if day.year == year else "meta.year"), ("meta.year", path)
    is_early = year >= 2019 and printed.meta["meta.issuer_type"] == "department"
    deadline = date(year + 1, 1 if is_early else 3, 31)
    if date.fromisoformat(printed.meta["meta.published_on"]) > deadline:
        yield "meta.published", ("meta.published_on",)


def broken_over_years(before: Printed, now: Printed) -> Iterator[Broken]:
    """The identities between two reports that follow each other; they stand at the later one."""
    for column in APPLICANTS:
        taken, left = f"requests.carried_in.{column}", f"requests.carried_out.{column}"
        if taken in now.cells and left in before.cells and now.cells[taken] != before.cells[left]:
            yield Broken.of(now.doc_id, "year.carry", (taken, left))
    for kind in DOCUMENT_KINDS:
        stock, more, less = (f"proactive.{kind}.{column}" for column in ("in_force", "issued", "repealed"))
        is_known = now.has((stock, more, less)) and stock in before.cells
        if is_known and now.cells[stock] != before.cells[stock] + now.cells[more] - now.cells[less]:
            yield Broken.of(now.doc_id, "year.in_force", (stock, more, less))
    for kind in ITEM_KINDS:
        count, change = f"proactive.{kind}.items_previous", f"proactive.{kind}.items_change"
        is_known = count in now.cells and before.has((count, change))
        if is_known and now.cells[count] != before.cells[count] + before.cells[change]:
            yield Broken.of(now.doc_id, "year.items", (count, change))


def broken_over_levels(parent: Printed, children: Iterable[Printed], *, is_sum: bool) -> Iterator[Broken]:
    """The cells of a government that are not the sum of those of the governments below it.

    One that counts itself alone breaks the identity as a whole: one finding for all of its cells.
    """
    every = list(children)
    differing = [
        path
        for path, figure in parent.cells.items()
        if _is_summed(path)
        and all(path in child.cells for child in every)
        and figure != sum(child.cells[path] for child in every)
    ]
    if is_sum:
        yield from (Broken.of(parent.doc_id, "level.sum", (path,)) for path in differing)
    elif differing:
        yield Broken.of(parent.doc_id, "level.sum", differing)


def _is_summed(path: str) -> bool:
    """Counts of the three tables; kinds of items are no sums of kinds, money is rounded."""
    return not path.startswith("statistics.") and ".items_" not in path and ".amount_" not in path
