"""Year, period and day of publication.

A report covers 1 January to 31 December of the year in its title; the first one,
for 2008, begins on 1 May, when the Regulation of 2007 came into force. Deadlines:
31 March for all bodies under the Regulation of 2007; since the reports on 2019,
31 January for departments and 31 March for governments (Regulation of 2019,
Art. 49–50). Townships, institutions and bodies of unknown type are given the
later day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pipeline.checks.findings import Identity, labels
from pipeline.checks.operands import Reading
from pipeline.fact import Fact, Finding

FIRST_YEAR = 2008
FIRST_DAY = date(2008, 5, 1)
REGULATION_OF_2019 = 2019


@dataclass(frozen=True, slots=True)
class Day:
    """A legible date and the fact that prints it."""

    fact: Fact
    value: date


def check(reading: Reading) -> Iterator[Finding]:
    """`meta.year`, `meta.period` and `meta.published`."""
    year = report_year(reading)
    if year is None:
        return
    start, end = day(reading, "meta.period_start"), day(reading, "meta.period_end")
    for edge in (start, end):
        yield from _period(reading, edge, is_start=edge is start, year=year)
    yield from _published(reading, year, end)


def report_year(reading: Reading) -> int | None:
    """The year that the title gives; None where it is no year of the calendar."""
    fact = reading.meta("meta.year")
    text = str(fact.value) if fact is not None else ""
    year = int(text) if text.isdecimal() else 0
    return year if date.min.year < year < date.max.year else None


def day(reading: Reading, path: str) -> Day | None:
    """The date that `path` holds in ISO 8601, None if it is missing or no date."""
    fact = reading.meta(path)
    if fact is None:
        return None
    try:
        return Day(fact, date.fromisoformat(str(fact.value)))
    except ValueError:
        return None


def _period(reading: Reading, edge: Day | None, *, is_start: bool, year: int) -> Iterator[Finding]:
    """A wrong year is `meta.year`; a wrong day of the right year is `meta.period`."""
    if edge is None:
        return
    due = first_day(year) if is_start else date(year, 12, 31)
    if edge.value == due:
        return
    rule = "meta.period" if edge.value.year == year else "meta.year"
    year_fact = reading.meta("meta.year")
    operands = (edge.fact,) if year_fact is None else (year_fact, edge.fact)
    side = "begins" if is_start else "ends"
    yield Identity(rule, "warning").broken(
        reading,
        operands,
        where="统计期限",
        message=f"the period {side} on {edge.value}, but the report is for {year}, which {side} on {due}",
        expected=due.isoformat(),
        printed=edge.value.isoformat(),
    )


def first_day(year: int) -> date:
    """First day that the report on `year` covers."""
    return FIRST_DAY if year == FIRST_YEAR else date(year, 1, 1)


def deadline(year: int, issuer_type: str | None) -> date:
    """Last day on which the report on `year` is in time."""
    if year >= REGULATION_OF_2019 and issuer_type == "department":
        return date(year + 1, 1, 31)
    return date(year + 1, 3, 31)


def _published(reading: Reading, year: int, end: Day | None) -> Iterator[Finding]:
    """After the period and by the deadline.

    A signature after the deadline says as much where no day of publication is
    printed; one before the period closed does not say when the report went out.
    """
    published, signed = day(reading, "meta.published_on"), day(reading, "meta.signed_on")
    closes = end.value if end is not None else date(year, 12, 31)
    issuer_type = reading.meta("meta.issuer_type")
    due = deadline(year, str(issuer_type.value) if issuer_type is not None else None)
    if published is not None and published.value <= closes:
        yield _untimely(reading, published, closes, f"published before the period closed on {closes}")
    elif published is not None and published.value > due:
        yield _untimely(reading, published, due, f"published after the deadline of {due}")
    elif published is None and signed is not None and signed.value > due:
        yield _untimely(reading, signed, due, f"signed after the deadline of {due}")


def _untimely(reading: Reading, out: Day, limit: date, trouble: str) -> Finding:
    return Identity("meta.published", "note").broken(
        reading,
        (out.fact,),
        where=" ".join(labels(out.fact.path)),
        message=f"{out.value}: {trouble}",
        expected=limit.isoformat(),
        printed=out.value.isoformat(),
    )
