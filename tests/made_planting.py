"""Errors planted in made-up reports: each breaks one identity, as far as a single wrong figure can.

A plant alters the figures before they are printed. What follows for later years is taken from the
print, so that an error stays where it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from made_figures import PEOPLE, Cells, whole
from made_prints import FORMS, ISSUED, RECEIVED, REVIEWS, Imprint, Prose, issued_cell
from made_reports import MadeTemplate

from evals.benchmarks.table_carriers import Expected
from pipeline.schema import outcome_rows

Needs = Literal["any", "tables", "requests", "items", "in_force", "sum", "statistics", "prose"]
"""What a report must have for a plant: tables, those of the year before with the same rows, and so on."""

PERSON, TOTAL = PEOPLE[0], "total"
LIST_APART = "list behind a full stop"


@dataclass
class Page:
    """A report before it is printed."""

    template: MadeTemplate
    imprint: Imprint
    prose: Prose
    cells: Cells
    statistics: Cells

    def add(self, path: str, more: int) -> None:
        """Print a higher or lower figure in a cell."""
        cells = self.statistics if path.startswith("statistics.") else self.cells
        key = path.removeprefix("statistics.")
        cells[key] = Expected(whole(cells, key) + more, "value")


@dataclass(frozen=True, slots=True)
class Plant:
    """A kind of error: the rule that must find it, what a report needs for it, how it is made."""

    rule: str
    needs: Needs
    alter: Callable[[Page, Random], None]


def _carry(page: Page, random: Random) -> None:
    more = random.randint(1, 3)
    for column in (PERSON, TOTAL):
        for row in ("carried_in", "granted", "concluded"):
            page.add(f"requests.{row}.{column}", more)


def _in_force(page: Page, random: Random) -> None:
    page.add("proactive.normative_documents.in_force", random.randint(1, 9))


def _items(page: Page, random: Random) -> None:
    page.add(f"proactive.{random.choice(('licensing', 'penalties'))}.items_previous", random.randint(1, 9))


def _sum_of_acts(page: Page, random: Random) -> None:
    page.add("proactive.licensing.decisions", random.randint(1, 99))


def _sum_of_requests(page: Page, random: Random) -> None:
    for column in (PERSON, TOTAL):
        for row in ("new_received", "granted", "concluded"):
            page.add(f"requests.{row}.{column}", 2)
    _say_again(page)


def _row_totals(page: Page, random: Random) -> None:
    """A case stands in the wrong row of the column 总计; the column still makes its sum."""
    rows = outcome_rows(FORMS[page.template][1])
    other = next(row for row in rows if row != "granted" and whole(page.cells, f"requests.{row}.{TOTAL}"))
    page.add(f"requests.granted.{TOTAL}", 1)
    page.add(f"requests.{other}.{TOTAL}", -1)


def _slip(page: Page, random: Random) -> None:
    """One cell of the requests table with one digit too many."""
    row = random.choice(("granted", "unavailable_not_held", "concluded"))
    page.add(f"requests.{row}.{random.choice((PERSON, TOTAL))}", 10)


def _outcomes(page: Page, random: Random) -> None:
    for column in (PERSON, TOTAL):
        page.add(f"requests.granted.{column}", 1)


def _balance(page: Page, random: Random) -> None:
    for column in (PERSON, TOTAL):
        page.add(f"requests.new_received.{column}", 2)
    _say_again(page)


def _remedies(page: Page, random: Random) -> None:
    page.add("remedies.litigation_direct.total", random.randint(1, 3))


def _period(page: Page, random: Random) -> None:
    page.imprint = replace(page.imprint, period_end=f"{page.imprint.year}-12-30")


def _year(page: Page, random: Random) -> None:
    """The period of the report before was left standing."""
    before = page.imprint.year - 1
    page.imprint = replace(page.imprint, period_start=f"{before}-01-01", period_end=f"{before}-12-31")


def _prose_requests(page: Page, random: Random) -> None:
    page.prose.figures[RECEIVED] = whole(page.cells, RECEIVED) + random.randint(1, 5)


def _prose_reviews(page: Page, random: Random) -> None:
    page.prose.figures[REVIEWS] = whole(page.cells, REVIEWS) + 1


def _prose_documents(page: Page, random: Random) -> None:
    page.prose.figures[ISSUED] = whole(page.cells, issued_cell(page.template)) + 1


def _prose_zero(page: Page, random: Random) -> None:
    """No review in words, one in the table."""
    for outcome in ("upheld", TOTAL):
        page.add(f"remedies.review.{outcome}", 1)
    page.prose.figures[REVIEWS] = 0


def _statistics_sum(page: Page, random: Random) -> None:
    page.add("statistics.received_fax", 1)


def _statistics_prose(page: Page, random: Random) -> None:
    page.add("statistics.disclosed_wechat", 2)


def _list(page: Page, random: Random) -> None:
    """The channels do not make the total."""
    page.prose.misprint = random.randint(1, 9)
    page.prose.is_list_apart = False


def _list_apart(page: Page, random: Random) -> None:
    """共公开X条。其中，…"""
    _list(page, random)
    page.prose.is_list_apart = True


def _say_again(page: Page) -> None:
    """The prose follows the table."""
    if RECEIVED in page.prose.figures and page.template in FORMS:
        page.prose.figures[RECEIVED] = whole(page.cells, RECEIVED)


PLANTS: Mapping[str, Plant] = {
    "carried in differs": Plant("year.carry", "requests", _carry),
    "in force differs": Plant("year.in_force", "in_force", _in_force),
    "items differ": Plant("year.items", "items", _items),
    "sum of acts differs": Plant("level.sum", "sum", _sum_of_acts),
    "sum of requests differs": Plant("level.sum", "sum", _sum_of_requests),
    "row totals interchanged": Plant("requests.row_total", "tables", _row_totals),
    "slip of one cell": Plant("requests.row_total", "tables", _slip),
    "outcomes": Plant("requests.outcome_total", "tables", _outcomes),
    "balance": Plant("requests.balance", "tables", _balance),
    "remedies": Plant("remedies.total", "tables", _remedies),
    "period": Plant("meta.period", "any", _period),
    "period of the year before": Plant("meta.year", "any", _year),
    "prose on requests": Plant("cross.requests", "tables", _prose_requests),
    "prose on reviews": Plant("cross.remedies", "tables", _prose_reviews),
    "prose on documents": Plant("cross.normative_documents", "tables", _prose_documents),
    "denied in words": Plant("cross.zero", "tables", _prose_zero),
    "sum of the statistics": Plant("stat2014.total", "statistics", _statistics_sum),
    "prose on the statistics": Plant("cross.proactive", "statistics", _statistics_prose),
    "list of channels": Plant("narrative.closed_list", "prose", _list),
    # A list counts within one sentence only (pipeline.checks.lists).
    LIST_APART: Plant("narrative.closed_list", "prose", _list_apart),
}
