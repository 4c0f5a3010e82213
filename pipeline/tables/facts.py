"""Facts and findings of the table reader: evidence, status, confidence, wording.

Confidence is the least of: the label (1.0 exact, 0.95 a unique part or joined pieces, 0.85
a likeness), the column (the same, 0.8 where the header is lost and the form decides) and
the place in the row (1.0 as many figures as columns, 0.9 by the grid, 0.8 by identities,
0.5 a row that is printed without any figure, 0.0 a cell that could not be told); for print
that was recognised in a picture also that of the recogniser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.document import Document
from pipeline.fact import Evidence, Fact, Finding
from pipeline.legibility import capped, is_legible
from pipeline.tables.align import How
from pipeline.tables.cells import CellValue, parse_cell
from pipeline.tables.rows import Line, PlacedCell
from pipeline.tables.templates import ExpectedCell

PLACE_CONFIDENCE: dict[How, float] = {"order": 1.0, "place": 0.9, "identities": 0.8, "empty": 0.5}


def cell_fact(expected: ExpectedCell, placed: PlacedCell, header_unit: str | None, confidence: float) -> Fact:
    """The fact that a cell prints."""
    reading = parse_cell(placed.cell.text, expected.kind, header_unit)
    if not is_legible(placed.cell.confidence):
        reading = replace(reading, value=None, status="illegible")
    return Fact(
        path=expected.path,
        value=reading.value,
        status=reading.status,
        raw=reading.raw,
        unit=reading.unit or expected.unit,
        source="table",
        method="table_reader",
        evidence=cell_evidence(placed, reading),
        confidence=0.0 if reading.status == "illegible" else capped(confidence, placed.cell.confidence),
    )


def blank_fact(expected: ExpectedCell, document: Document, line: Line, confidence: float) -> Fact:
    """A cell of a row that is printed as a label alone: blank, behind the label."""
    evidence = line_evidence(document, line)
    return _unread(expected, "blank", "", evidence.model_copy(update={"start": evidence.end}), confidence)


def illegible_fact(expected: ExpectedCell, document: Document, line: Line) -> Fact:
    """A cell whose figure cannot be told from its neighbours: the whole row is the evidence."""
    figures = line.figures
    raw = ""
    if figures:
        raw = document.text[figures[0].cell.span.start : figures[-1].cell.span.end]
    return _unread(expected, "illegible", raw, line_evidence(document, line), 0.0)


def _unread(expected: ExpectedCell, status: str, raw: str, evidence: Evidence, confidence: float) -> Fact:
    return Fact(
        path=expected.path,
        value=None,
        status="blank" if status == "blank" else "illegible",
        raw=raw,
        unit=expected.unit,
        source="table",
        method="table_reader",
        evidence=evidence,
        confidence=confidence,
    )


def cell_evidence(placed: PlacedCell, reading: CellValue) -> Evidence:
    """The figure within the cell; the empty span at its place for a blank."""
    return Evidence(
        start=placed.cell.start + reading.start,
        end=placed.cell.start + reading.end,
        page=placed.cell.page,
        table=placed.table,
        row=placed.cell.row,
        column=placed.cell.column,
    )


def whole_cell(placed: PlacedCell) -> Evidence:
    """All of a cell."""
    return cell_evidence(placed, CellValue(None, "illegible", "", 0, len(placed.cell.text)))


def line_evidence(document: Document, line: Line) -> Evidence:
    """A row from its label to its last figure."""
    first = line.cells[0]
    page = first.cell.page if first.cell.page is not None else document.page_of(line.span)
    return Evidence(
        start=line.span.start, end=line.span.end, page=page, table=first.table, row=first.cell.row
    )


def reading_finding(
    rule: str,
    message: str,
    *,
    at: str | None = None,
    paths: Sequence[str] = (),
    evidence: Sequence[Evidence] = (),
    is_note: bool = False,
) -> Finding:
    """A finding of the reading itself."""
    return Finding(
        rule=f"table.{rule}",
        severity="note" if is_note else "warning",
        paths=tuple(paths),
        cause="reading",
        message=message,
        at=at,
        evidence=tuple(evidence),
    )


def printed(line: Line) -> str:
    """A row as it is quoted in a message: label: figures."""
    figures = " ".join(figure.cell.text for figure in line.figures)
    return f"{line.label or '(no label)'}: {figures}" if figures else line.label
