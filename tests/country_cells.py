"""What each cell of the panel must hold for a row of the made-up country, by the facts it was printed from.

Fields as printed follow from the facts alone. Of the harmonised variables those with a plain
definition are reckoned here a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from made_country import MadeCountry, MadeRow
from made_places import PROVINCE
from made_prints import FORMS
from made_reports import ExpectedFact

from pipeline.export.rows import panel_fields
from pipeline.export.table import Value

_SOURCE_ORDER = ("table", "metadata", "narrative")
_PROSE = {"narrative": "value", "narrative_status": "status", "narrative_bound": "bound"}
Given = str | float | None


@dataclass(frozen=True)
class Cell:
    """A cell of the panel and the values that it may have: one, or any of a row's documents."""

    KINDS: ClassVar = (
        "cells: who and where",
        "cells: values",
        "cells: statuses and prose",
        "cells: variables",
    )

    kind: str
    column: str
    values: tuple[Given, ...]


def printed_as(value: Value | str) -> Given:
    """A number as a float, so that 12 and 12.0 are the same."""
    if isinstance(value, int | float):
        return float(value)
    return value


def expected_cells(country: MadeCountry, row: MadeRow, columns: Sequence[str]) -> Iterator[Cell]:
    """The cells of a row that the truth tells, all of them in `columns`."""
    known = set(columns)
    for cell in (*_identity(country, row), *_fields(row, known), *_variables(row)):
        if cell.column not in known:
            raise LookupError(f"{cell.column}: the panel has no such column")
        yield cell


def _identity(country: MadeCountry, row: MadeRow) -> Iterator[Cell]:
    plan = row.plan
    place, year = plan.reporter.place, row.year
    now = place.name_in(year)
    above = next((each for each in country.province.prefectures if each.unit_id == place.prefecture), place)
    documents = [each for each in country.documents if each.plan is plan and each.role != "failed"]
    names: Mapping[str, Given] = {
        "unit_id": place.unit_id,
        "issuer": f"{now.name}{plan.reporter.body}",
        "issuer_type": plan.reporter.issuer_type,
        "level": _value(row, "meta.level"),
        "division_code": now.code,
        "province": PROVINCE,
        "prefecture": above.name_in(year).name,
        "county": now.name if place.prefecture is not None else None,
        "versions": float(len(documents)),
    }
    for column, value in names.items():
        yield Cell(Cell.KINDS[0], column, (value,))
    yield Cell(Cell.KINDS[0], "doc_id", row.doc_ids)


def _value(row: MadeRow, path: str) -> Given:
    return next((fact.value for fact in row.facts if fact.path == path), None)


def _fields(row: MadeRow, columns: set[str]) -> Iterator[Cell]:
    facts: dict[str, list[ExpectedFact]] = {}
    for fact in row.facts:
        facts.setdefault(fact.path, []).append(fact)
    for spec in panel_fields():
        found = sorted(facts.get(spec.path, []), key=lambda fact: _SOURCE_ORDER.index(fact.source))
        is_text = spec.kind in ("text", "date")
        first = found[0] if found else None
        yield Cell(Cell.KINDS[1], spec.path, (_shown(first, is_text),))
        status = first.status if first else "not_mentioned"
        yield Cell(Cell.KINDS[2], f"{spec.path}__status", (status,))
        if f"{spec.path}__narrative" in columns:
            yield from _prose(spec.path, found, is_text)


def _prose(path: str, found: Sequence[ExpectedFact], is_text: bool) -> Iterator[Cell]:
    said = next((fact for fact in found if fact.source == "narrative"), None)
    values = {
        "source": found[0].source if found else None,
        "bound": found[0].bound if found else None,
        "narrative": _shown(said, is_text),
        "narrative_status": said.status if said else "not_mentioned",
        "narrative_bound": said.bound if said else None,
    }
    for suffix, value in values.items():
        yield Cell(Cell.KINDS[2], f"{path}__{suffix}", (value,))


def _shown(fact: ExpectedFact | None, is_text: bool) -> Given:
    if fact is None or fact.value == "None":
        return None
    return fact.value if is_text else float(fact.value)


def _variables(row: MadeRow) -> Iterator[Cell]:
    numbers = {
        (fact.source, fact.path): float(fact.value)
        for fact in row.facts
        if fact.status in ("value", "zero_in_words") and fact.source != "metadata" and _is_number(fact.value)
    }
    form = "tables" if row.plan.template in FORMS else row.plan.template
    for name, ways in _WAYS.items():
        yield Cell(Cell.KINDS[3], name, (_sum(numbers, ways.get(form)),))
    for name, forms in _RATES.items():
        above, below = (_sum(numbers, way) for way in forms.get(form, ((), ())))
        rate = None if above is None or below is None or below <= 0 else above / below
        yield Cell(Cell.KINDS[3], name, (rate,))
    yield Cell(Cell.KINDS[3], "rate_lateness_days", (_days_late(row),))


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdecimal()


_Way = tuple[str, ...]
_LAWSUITS = ("remedies.litigation_direct", "remedies.litigation_after_review")


def _sum(numbers: Mapping[tuple[str, str], float], way: _Way | None) -> float | None:
    """None without a way, or where a path has no number. `~`: of the prose, `-`: taken off."""
    total = 0.0
    for path in way or ("",):
        source = "narrative" if path.startswith("~") else "table"
        number = numbers.get((source, path.lstrip("~-")))
        if number is None:
            return None
        total += -number if path.startswith("-") else number
    return total


_WAYS: Mapping[str, Mapping[str, _Way]] = {
    "h_requests_received": {
        "narrative": ("~requests.new_received.total",),
        "stat2014": ("statistics.received_total",),
        "tables": ("requests.new_received.total",),
    },
    "h_requests_concluded": {
        "stat2014": ("statistics.concluded_total",),
        "tables": ("requests.concluded.total",),
    },
    "h_requests_carried_out": {"tables": ("requests.carried_out.total",)},
    "h_requests_granted": {"tables": ("requests.granted.total",)},
    "h_denied_third_party": {
        "stat2014": ("statistics.denied_trade_secret", "statistics.denied_privacy"),
        "tables": ("requests.denied_third_party.total",),
    },
    "h_review_total": {
        "narrative": ("~remedies.review.total",),
        "stat2014": ("statistics.review_total",),
        "tables": ("remedies.review.total",),
    },
    "h_litigation_total": {
        "narrative": ("~remedies.litigation.total",),
        "stat2014": ("statistics.litigation_total",),
        "tables": tuple(f"{block}.total" for block in _LAWSUITS),
    },
}
"""Variable → form → what it is the sum of."""

_RATES: Mapping[str, Mapping[str, tuple[_Way, _Way]]] = {
    "rate_granted": {"tables": (("requests.granted.total",), ("requests.concluded.total",))},
    "rate_granted_any": {
        "tables": (
            ("requests.granted.total", "requests.partially_granted.total"),
            ("requests.concluded.total",),
        )
    },
    "rate_backlog": {
        "tables": (
            ("requests.carried_out.total",),
            ("requests.new_received.total", "requests.carried_in.total"),
        )
    },
    "rate_review_corrected": {
        "stat2014": (("statistics.review_corrected",), ("statistics.review_total",)),
        "tables": (
            ("remedies.review.corrected",),
            ("remedies.review.total", "-remedies.review.pending"),
        ),
    },
    "rate_lit_corrected": {
        "stat2014": (("statistics.litigation_corrected",), ("statistics.litigation_total",)),
        "tables": (
            tuple(f"{block}.corrected" for block in _LAWSUITS),
            (*(f"{block}.total" for block in _LAWSUITS), *(f"-{block}.pending" for block in _LAWSUITS)),
        ),
    },
}
"""Rate → form → numerator and denominator."""


def _days_late(row: MadeRow) -> float:
    is_early = row.year >= 2019 and row.plan.reporter.issuer_type == "department"
    due = date(row.year + 1, 1 if is_early else 3, 31)
    return float((date.fromisoformat(str(_value(row, "meta.published_on"))) - due).days)
