"""`level.sum`: the figures of a government beside those of all governments right below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pipeline.checks.findings import labels, shown
from pipeline.checks.operands import Number, equal, number, tidy
from pipeline.fact import Cause, Fact, Finding
from pipeline.panel.model import PanelRow
from pipeline.panel.sides import AcrossFinding, OtherPlace, Side, Tally, suspected_cause
from pipeline.panel.units import Places
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, request_rows

_GOVERNMENT = "人民政府"
# A parent that agrees with its children in less than this share of fields counts other bodies.
_MOSTLY = 0.5
_LEVELS_BELOW: tuple[Literal["prefecture", "county"], ...] = ("prefecture", "county")
_DOCUMENTS = ("regulations", "normative_documents")
_DOCUMENT_COLUMNS = ("made", "disclosed", "disclosed_total", "issued", "repealed", "in_force")
_ACTS = ("licensing", "other_services", "penalties", "coercion")


def over_levels(rows: Sequence[PanelRow], places: Places, tally: Tally) -> Iterator[AcrossFinding]:
    """Governments against the governments right below them, where all of these have a report."""
    governments = {
        (row.chosen.unit.unit_id, row.year): row
        for row in rows
        if row.chosen.unit is not None and row.chosen.body == _GOVERNMENT
    }
    in_year: dict[int, Mapping[str, tuple[str, ...]]] = {}
    for (unit_id, year), row in governments.items():
        if row.chosen.unit is None or row.chosen.unit.level == "county":
            continue
        if year not in in_year:
            in_year[year] = children_in(year, places)
        found = [governments.get((each, year)) for each in in_year[year].get(unit_id, ())]
        present = [each for each in found if each is not None]
        if found and len(present) == len(found):
            yield from _check_level(row, present, tally)


@dataclass(frozen=True, slots=True)
class _Sum:
    """A field of a parent beside the same field of all its children."""

    parent: Fact
    parts: tuple[Fact, ...]

    @property
    def expected(self) -> Number:
        return tidy(sum(map(number, self.parts)))

    @property
    def holds(self) -> bool:
        return equal(self.expected, number(self.parent))

    @property
    def is_trivial(self) -> bool:
        """Zeros everywhere say nothing about whom the parent counts."""
        return not number(self.parent) and not any(map(number, self.parts))


def _check_level(row: PanelRow, below: Sequence[PanelRow], tally: Tally) -> Iterator[AcrossFinding]:
    paths = frozenset(summed_paths())
    parent, *sides = (Side.of(each.chosen, paths) for each in (row, *below))
    sums: list[_Sum] = []
    for path in summed_paths():
        whole = parent.reading.cell(path)
        parts = [part for side in sides if (part := side.reading.cell(path)) is not None]
        is_assessable = whole is not None and len(parts) == len(sides)
        if path in parent.printed:
            tally.count("level.sum", is_assessable=is_assessable)
        if whole is not None and is_assessable:
            sums.append(_Sum(whole, tuple(parts)))
    telling = [each for each in sums if not each.is_trivial]
    broken = [each for each in telling if not each.holds]
    if len(broken) > 1 and len(telling) - len(broken) < _MOSTLY * len(telling):
        yield _other_scope(row, parent, sides, broken, len(telling))
    else:
        for each in broken:
            yield _broken_sum(row, parent, sides, each)


def _broken_sum(row: PanelRow, parent: Side, sides: Sequence[Side], broken: _Sum) -> AcrossFinding:
    parts = " + ".join(shown(part) for part in broken.parts)
    message = f"{parts} = {broken.expected} of those below, but the parent prints {shown(broken.parent)}"
    cause = suspected_cause(
        [(parent, [broken.parent]), *((s, [p]) for s, p in zip(sides, broken.parts, strict=True))]
    )
    return _level_finding(row, sides, [broken], message, cause, at=_row_of(broken.parent.path))


def _other_scope(
    row: PanelRow, parent: Side, sides: Sequence[Side], broken: Sequence[_Sum], telling: int
) -> AcrossFinding:
    """One finding for a parent that counts other bodies than those below it, or itself alone."""
    first = broken[0]
    more = sum(number(each.parent) > each.expected for each in broken)
    message = (
        f"{len(broken)} of {telling} figures are not the sums of the {len(sides)} places below, "
        f"{more} of them larger; the first: {shown(first.parent)} against {first.expected}"
    )
    return _level_finding(row, sides, broken, message, "scope", at=None)


def _level_finding(
    row: PanelRow, sides: Sequence[Side], broken: Sequence[_Sum], message: str, cause: Cause, at: str | None
) -> AcrossFinding:
    first = broken[0]
    where = " ".join(labels(first.parent.path)) if at is not None else (row.chosen.issuer or row.reporter_id)
    finding = Finding(
        rule="level.sum",
        severity="note",
        paths=tuple(each.parent.path for each in broken),
        expected=first.expected,
        printed=number(first.parent),
        cause=cause,
        message=f"level.sum, {where}: {message}",
        at=at,
        evidence=tuple(each.parent.evidence for each in broken),
    )
    others = [
        OtherPlace(side.source.run, side.source.doc_id, tuple(each.parts[index].evidence for each in broken))
        for index, side in enumerate(sides)
    ]
    return AcrossFinding(
        doc_id=row.chosen.doc_id,
        run=row.chosen.run,
        other_doc_id=others[0].doc_id,
        other_run=others[0].run,
        finding=finding,
        other_evidence=others[0].evidence,
        reporter_id=row.reporter_id,
        year=row.year,
        further=tuple(others[1:]),
    )


def _row_of(path: str) -> str:
    return path.split(".")[1]


@cache
def summed_paths() -> tuple[str, ...]:
    """The cells of which a place's is the sum of those below it: requests, remedies, acts, documents.

    Money is left out: each report rounds it.
    """
    rows = dict.fromkeys(row.key for row in (*request_rows("table2019"), *request_rows("table2021")))
    return (
        *(f"requests.{row}.{applicant}" for row in rows for applicant in APPLICANTS),
        *(f"remedies.{block}.{outcome}" for block in REMEDY_BLOCKS for outcome in OUTCOMES),
        *(f"proactive.{item}.{column}" for item in _DOCUMENTS for column in _DOCUMENT_COLUMNS),
        *(f"proactive.{item}.decisions" for item in _ACTS),
        "proactive.procurement.items",
    )


def children_in(year: int, places: Places) -> Mapping[str, tuple[str, ...]]:
    """The `unit_id`s right below each place that has any as of a year, by its own `unit_id`."""
    below: dict[str, list[str]] = defaultdict(list)
    for level in _LEVELS_BELOW:
        for unit in places.units_in(year, level):
            above = places.parent_of(unit.code, year)
            if above is not None:
                below[above.unit_id].append(unit.unit_id)
    return {unit_id: tuple(units) for unit_id, units in below.items()}
