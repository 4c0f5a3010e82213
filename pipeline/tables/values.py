"""Rows of a form → facts: align → facts, with a finding for all that was not plain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.document import Document
from pipeline.fact import Fact, Finding
from pipeline.legibility import how_sure
from pipeline.tables.align import Alignment, How, Placement, agreed, place_row
from pipeline.tables.facts import (
    PLACE_CONFIDENCE,
    blank_fact,
    cell_fact,
    illegible_fact,
    line_evidence,
    printed,
    reading_finding,
    whole_cell,
)
from pipeline.tables.forms import FormRows, Row
from pipeline.tables.identities import REMEDY_LINE, identities_of, settle
from pipeline.tables.rows import PlacedCell
from pipeline.tables.templates import ExpectedCell, TableKind, TableTemplate, expected_cells


@dataclass(frozen=True)
class FormValues:
    """The facts of one table in the order of the form, and the findings of their reading."""

    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class SettledRow:
    """A row with the alignments that are left after the identities had their say."""

    row: Row
    placement: Placement
    kept: tuple[Alignment, ...]

    @cached_property
    def is_as_printed(self) -> bool:
        """Whether the alignment that the print speaks for breaks no more identities than others."""
        return self.placement.is_preferred and self.placement.alignments[0] in self.kept

    @cached_property
    def alignments(self) -> tuple[Alignment, ...]:
        """The alignments that count: the preferred one alone if it was kept."""
        return self.placement.alignments[:1] if self.is_as_printed else self.kept

    @cached_property
    def has_doubtful_total(self) -> bool:
        """A blank total behind figures: left blank, or padding behind a row that lost a figure."""
        last = self.placement.alignments[0][-1] if self.is_as_printed else None
        return bool(last and last.is_blank and len(self.kept) > 1 and self.row.column_keys[-1] == "total")

    @cached_property
    def how(self) -> How:
        """What decided; a row that was not taken as printed was settled by identities."""
        if self.has_doubtful_total or (self.placement.is_preferred and not self.is_as_printed):
            return "identities"
        return self.placement.how

    def cell(self, at: int) -> PlacedCell | None:
        """The cell under the column at a place if all alignments agree on it."""
        return agreed(self.alignments, at)


def values_of_form(document: Document, form: FormRows, template: TableTemplate) -> FormValues:
    """Facts of all cells that the form has and the table prints."""
    expected = expected_cells(form.kind, template)
    wanted = {cell.row for cell in expected}
    rows = [row for row in form.rows if row.key in wanted or row.key == REMEDY_LINE]
    settled = _settle(rows, form.kind, template)
    findings = [_foreign_row(document, row) for row in form.rows if row not in rows and row.line.figures]
    findings += _missing_rows(form, expected, rows)
    findings += [finding for each in settled.values() for finding in _row_findings(document, form.kind, each)]
    places = {cell: place for cell in expected if (place := _place_of(cell, settled)) is not None}
    facts = [_fact(document, cell, row, at) for cell, (row, at) in places.items()]
    findings += _cell_findings(facts, settled)
    findings += _missing_columns([cell for cell in expected if cell not in places], settled)
    return FormValues(tuple(facts), tuple(findings))


def _settle(rows: Sequence[Row], kind: TableKind, template: TableTemplate) -> dict[str, SettledRow]:
    placements = {row.key: place_row(row.line, row.columns) for row in rows}
    keys = {row.key: row.column_keys for row in rows}
    narrowed = settle(placements, keys, identities_of(kind, template, keys))
    return {
        row.key: SettledRow(row, placements[row.key], narrowed.get(row.key, placements[row.key].alignments))
        for row in rows
    }


def _place_of(cell: ExpectedCell, settled: Mapping[str, SettledRow]) -> tuple[SettledRow, int] | None:
    """The row in which a cell of the form is printed, and the place of its column there."""
    for key, column in ((cell.row, cell.column), (REMEDY_LINE, f"{cell.row}.{cell.column}")):
        found = settled.get(key)
        if found is not None and column in found.row.column_keys:
            return found, found.row.column_keys.index(column)
    return None


def _fact(document: Document, expected: ExpectedCell, found: SettledRow, at: int) -> Fact:
    placed, column = found.cell(at), found.row.columns[at]
    confidence = min(found.row.confidence, column.confidence, PLACE_CONFIDENCE[found.how])
    if placed is not None:
        return cell_fact(expected, placed, column.unit, confidence)
    if found.how == "empty":
        return blank_fact(expected, document, found.row.line, confidence)
    return illegible_fact(expected, document, found.row.line)


def _path(kind: TableKind, row: Row, column: str) -> str:
    return ".".join(part for part in (kind, row.key, column) if part)


def _row_findings(document: Document, kind: TableKind, each: SettledRow) -> Iterator[Finding]:
    row = each.row
    if each.how != "order":
        yield reading_finding(
            "row_length",
            f"{printed(row.line)} – {len(row.line.figures)} figures for {len(row.columns)} columns; "
            + _left_open(each),
            at=row.key or kind,
            paths=[_path(kind, row, key) for key in row.column_keys if key],
            evidence=[line_evidence(document, row.line)],
        )
    for at, column in enumerate(row.columns):
        placed = each.cell(at) if column.key is None else None
        if placed and not placed.is_blank:
            name = column.cell.cell.text if column.cell else ""
            yield reading_finding(
                "unknown_column",
                f"{printed(row.line)} – {placed.cell.text} stands under a column that no form has: {name}",
                at=row.key or kind,
                evidence=[whole_cell(placed)],
            )


def _left_open(each: SettledRow) -> str:
    if each.how == "empty":
        return "its cells are blank or lost"
    if each.has_doubtful_total:
        return "its total is blank or a figure is lost"
    unsure = [key for at, key in enumerate(each.row.column_keys) if key and each.cell(at) is None]
    return f"not to be told: {', '.join(unsure)}" if unsure else "the sums leave one reading"


def _foreign_row(document: Document, row: Row) -> Finding:
    return reading_finding(
        "unclaimed_row",
        f"A row that this form does not have: {printed(row.line)}",
        at=row.key,
        evidence=[line_evidence(document, row.line)],
    )


def _missing_rows(form: FormRows, expected: Sequence[ExpectedCell], rows: Sequence[Row]) -> Iterator[Finding]:
    present = {row.key for row in rows}
    if REMEDY_LINE in present:
        return
    for key in dict.fromkeys(cell.row for cell in expected):
        if key not in present:
            paths = [cell.path for cell in expected if cell.row == key]
            message = f"The {form.kind} table has no row {key}"
            yield reading_finding("missing_row", message, at=key, paths=paths)


def _missing_columns(
    without_place: Sequence[ExpectedCell], settled: Mapping[str, SettledRow]
) -> Iterator[Finding]:
    """Cells of rows that are there under columns that are not."""
    lacking = [cell.path for cell in without_place if cell.row in settled or REMEDY_LINE in settled]
    if lacking:
        yield reading_finding(
            "missing_column", f"No column of the header stands for {', '.join(lacking)}", paths=lacking
        )


def _cell_findings(facts: Sequence[Fact], settled: Mapping[str, SettledRow]) -> Iterator[Finding]:
    """Cells with unreadable print, and notes behind a figure."""
    by_start = {placed.cell.start: placed for each in settled.values() for placed in each.row.line.slots}
    for fact in facts:
        is_whole_row = fact.evidence.column is None
        placed = by_start.get(fact.evidence.start)
        if fact.status == "illegible" and not is_whole_row:
            message = f"{fact.path}: cannot be read: {fact.raw}"
            if placed and placed.cell.confidence is not None:
                message += f" ({how_sure(placed.cell.confidence)})"
            yield reading_finding("illegible_cell", message, paths=[fact.path], evidence=[fact.evidence])
        if placed and placed.reading.note and not is_whole_row:
            yield reading_finding(
                "cell_note",
                f"{fact.path}: {placed.cell.text}",
                paths=[fact.path],
                evidence=[whole_cell(placed)],
                is_note=True,
            )
