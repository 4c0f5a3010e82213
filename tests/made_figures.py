"""The figures of a body that does not exist, year after year, so that every identity holds.

`Books` is what a body carries from one year to the next: applications not yet concluded,
documents in force, items that it administers. `draw_tables` draws a year's three tables from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from evals.benchmarks.table_carriers import Expected
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, outcome_rows
from pipeline.tables.templates import TableTemplate, expected_cells

Cells = dict[str, Expected]

DOCUMENT_KINDS = ("regulations", "normative_documents")
ITEM_KINDS = ("licensing", "other_services", "penalties", "coercion", "administrative_fees")
PEOPLE = APPLICANTS[:-1]


@dataclass
class Books:
    """What is carried over: cases by applicant, documents in force and disclosed by kind, items by kind."""

    carried_out: dict[str, int] = field(default_factory=dict)
    in_force: dict[str, int] = field(default_factory=dict)
    disclosed_total: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    has_regulations: bool = True

    def close(self, cells: Mapping[str, Expected]) -> None:
        """Carry over what a year's tables print, right or wrong."""
        for applicant in PEOPLE:
            self.carried_out[applicant] = whole(cells, f"requests.carried_out.{applicant}")
        for kind in DOCUMENT_KINDS:
            for column, book in (("in_force", self.in_force), ("disclosed_total", self.disclosed_total)):
                cell = cells.get(f"proactive.{kind}.{column}")
                if cell is not None and cell.value is not None:
                    book[kind] = int(cell.value)
        for kind in ITEM_KINDS:
            if f"proactive.{kind}.items_previous" in cells:
                change = whole(cells, f"proactive.{kind}.items_change")
                self.items[kind] = whole(cells, f"proactive.{kind}.items_previous") + change


def opened(random: Random, size: int) -> Books:
    """The books of a body of this size (a township 1, a county 4) before its first year."""
    return Books(
        {applicant: random.choice((0, 0, 1, 3)) if applicant == PEOPLE[0] else 0 for applicant in PEOPLE},
        {kind: random.randint(5, 30) * size for kind in DOCUMENT_KINDS},
        {kind: random.randint(5, 30) * size for kind in DOCUMENT_KINDS},
        {kind: random.randint(0, 60) * size for kind in ITEM_KINDS},
        has_regulations=random.random() < 0.7,
    )


def whole(cells: Mapping[str, Expected], path: str) -> int:
    """The count that a cell prints; 0 where it prints none."""
    cell = cells.get(path)
    return int(cell.value) if cell is not None and cell.value is not None else 0


def draw_tables(
    random: Random, books: Books, size: int, proactive: TableTemplate, requests: TableTemplate
) -> Cells:
    """The cells of the three tables of a year."""
    return {
        **_proactive(random, books, size, proactive),
        **_requests(random, books, size, requests),
        **_remedies(random, size),
    }


def added(
    tables: Iterable[Mapping[str, Expected]], proactive: TableTemplate, requests: TableTemplate
) -> Cells:
    """The tables of a body that counts others' together; every cell of its forms is printed."""
    every = list(tables)
    paths = [
        cell.path
        for kind, form in (("proactive", proactive), ("requests", requests), ("remedies", requests))
        for cell in expected_cells(kind, form)  # type: ignore[arg-type]
    ]
    return {path: Expected(_tidy(sum(_amount(cells, path) for cells in every)), "value") for path in paths}


def _amount(cells: Mapping[str, Expected], path: str) -> float:
    cell = cells.get(path)
    return cell.value if cell is not None and cell.value is not None else 0


def _tidy(amount: float) -> float:
    amount = round(amount, 2)
    return int(amount) if float(amount).is_integer() else amount


def _proactive(random: Random, books: Books, size: int, form: TableTemplate) -> Cells:
    cells = {cell.path: Expected(_some(random, size), "value") for cell in expected_cells("proactive", form)}
    for kind in DOCUMENT_KINDS:
        cells.update(_documents(random, books, kind, form))
    if form == "table2019":
        cells.update(_items(random, books))
        cells["proactive.procurement.amount_yuan"] = Expected(random.randint(1, 900_000) * size, "value")
    else:
        amount = _tidy(random.choice((0, random.uniform(0.1, 900.0))))
        cells["proactive.administrative_fees.amount_wan_yuan"] = Expected(amount, "value")
    if not books.has_regulations:
        cells |= {path: Expected(None, "not_applicable") for path in cells if ".regulations." in path}
    if random.random() < 0.1:
        cells["proactive.coercion.decisions"] = Expected(None, "blank")
    return cells


def _some(random: Random, size: int) -> int:
    return random.choice((0, random.randint(1, 9), random.randint(10, 1_500))) * size


def _documents(random: Random, books: Books, kind: str, form: TableTemplate) -> Cells:
    new, gone = random.randint(0, 12), random.randint(0, 3)
    if form == "table2019":
        disclosed = random.randint(0, new)
        figures = {
            "made": new,
            "disclosed": disclosed,
            "disclosed_total": books.disclosed_total[kind] + disclosed,
        }
    else:
        gone = min(gone, books.in_force[kind])
        figures = {"issued": new, "repealed": gone, "in_force": books.in_force[kind] + new - gone}
    return {f"proactive.{kind}.{column}": Expected(figure, "value") for column, figure in figures.items()}


def _items(random: Random, books: Books) -> Cells:
    cells = {}
    for kind in ITEM_KINDS:
        previous = books.items[kind]
        change = random.choice((0, random.randint(1, 20), -min(previous, random.randint(1, 20))))
        cells[f"proactive.{kind}.items_previous"] = Expected(previous, "value")
        cells[f"proactive.{kind}.items_change"] = Expected(change, "value")
    return cells


def _requests(random: Random, books: Books, size: int, form: TableTemplate) -> Cells:
    rows = outcome_rows(form)
    numbers: dict[tuple[str, str], int] = {}
    for applicant in PEOPLE:
        likely = 0.4 if applicant == PEOPLE[0] else 0.06
        for row in rows:
            numbers[row, applicant] = random.randint(1, 5 * size) if random.random() < likely else 0
        carried_in = books.carried_out.get(applicant, 0)
        numbers["granted", applicant] += max(0, carried_in - sum(numbers[row, applicant] for row in rows))
        concluded = sum(numbers[row, applicant] for row in rows)
        carried_out = random.randint(0, 6) if applicant == PEOPLE[0] else random.choice((0, 0, 0, 1))
        numbers["concluded", applicant] = concluded
        numbers["carried_in", applicant] = carried_in
        numbers["carried_out", applicant] = carried_out
        numbers["new_received", applicant] = concluded + carried_out - carried_in
    for row in {row for row, _ in numbers}:
        numbers[row, APPLICANTS[-1]] = sum(numbers[row, applicant] for applicant in PEOPLE)
    return {f"requests.{row}.{applicant}": Expected(n, "value") for (row, applicant), n in numbers.items()}


def _remedies(random: Random, size: int) -> Cells:
    cells = {}
    for block in REMEDY_BLOCKS:
        outcomes = [random.choice((0, 0, 0, 1, 2)) * size for _ in OUTCOMES[:-1]]
        for key, number in zip(OUTCOMES, [*outcomes, sum(outcomes)], strict=True):
            cells[f"remedies.{block}.{key}"] = Expected(number, "value")
    return cells
