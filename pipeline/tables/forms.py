"""Lines of one of the three tables → rows of its form: header → rows, and which form it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.document import Document
from pipeline.fact import Finding
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS
from pipeline.tables.align import number_of
from pipeline.tables.claims import Claim, Section, claim_rows, sections, strongest
from pipeline.tables.facts import line_evidence, printed, reading_finding, whole_cell
from pipeline.tables.header import Column, default_header
from pipeline.tables.identities import REMEDY_LINE, numbers_of, row_total, tally
from pipeline.tables.kinds import KindLines
from pipeline.tables.rows import Line, is_bare_number
from pipeline.tables.templates import (
    TableKind,
    TableTemplate,
    block_labels,
    expected_cells,
    proactive_template,
    requests_template,
)

REMEDY_COLUMNS = tuple(f"{block}.{outcome}" for block in REMEDY_BLOCKS for outcome in OUTCOMES)


@dataclass(frozen=True)
class Row:
    """A row of the form, the line that prints it and the columns that its figures stand under."""

    key: str
    line: Line
    columns: tuple[Column, ...]
    confidence: float

    @cached_property
    def column_keys(self) -> tuple[str | None, ...]:
        """Column keys in printed order; None for a column that is unknown."""
        return tuple(column.key for column in self.columns)


@dataclass(frozen=True)
class FormRows:
    """The rows of one table by label, its form if the labels tell it, and what was found."""

    kind: TableKind
    template: TableTemplate | None
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]


def rows_of_form(document: Document, part: KindLines) -> FormRows:
    """Find header and rows of a table that may be printed in several pieces."""
    if part.kind == "remedies":
        return _remedies(document, part.lines)
    expected = len(APPLICANTS) if part.kind == "requests" else 1
    claimed = [claim_rows(section, part.kind) for section in sections(part.lines, part.kind, expected)]
    kept, lost = strongest([claim for each in claimed for claim in each.claims])
    left = [line for each in claimed for line in each.unclaimed]
    left += [claim.line for claim in lost if claim.line.figures]
    findings = [_left_over(document, line) for line in left]
    claims = list(kept.values())
    template = _template(part.kind, claims)
    if any(claim.header is None for claim in claims):
        findings.insert(0, _missing_header(document, part))
    rows = [_row(part.kind, claim, template) for claim in claims]
    if part.kind == "requests" and any(claim.header and claim.header.alternative for claim in claims):
        rows, unclear = _settle_place_of_total(rows, claims)
        findings += [_unclear_total(document, row) for row in unclear]
    return FormRows(part.kind, template, tuple(rows), tuple(findings))


def _template(kind: TableKind, claims: Sequence[Claim]) -> TableTemplate | None:
    keys = [claim.key for claim in claims]
    if kind == "requests":
        return requests_template(keys)
    columns = {key for claim in claims if claim.header for key in claim.header.keys}
    return proactive_template(keys, columns)


def _row(kind: TableKind, claim: Claim, template: TableTemplate | None) -> Row:
    header = claim.header or default_header(_form_columns(kind, claim.key, template))
    columns = header.columns
    known = tuple(column for column in columns if column.key)
    if len(claim.line.figures) == len(known):
        columns = known  # nothing stands under the unknown ones
    return Row(claim.key, claim.line, columns, claim.confidence)


def _form_columns(kind: TableKind, row: str, template: TableTemplate | None) -> list[str]:
    cells = expected_cells(kind, template or "table2021")
    return [cell.column for cell in cells if cell.row == row]


def _settle_place_of_total(rows: list[Row], claims: Sequence[Claim]) -> tuple[list[Row], list[Row]]:
    """Where the header leaves open whether 总计 is first or last, the row totals decide.

    Returns the rows, and those with figures whose columns stay unclear: the form's order is kept.
    """
    other_columns = {claim.key: claim.header.alternative for claim in claims if claim.header}
    other = [replace(row, columns=other_columns.get(row.key) or row.columns) for row in rows]
    here, there = _broken_totals(rows), _broken_totals(other)
    if here != there:
        return (rows, []) if here < there else (other, [])
    return rows, [row for row in rows if any(number_of(figure) for figure in row.line.figures)]


def _broken_totals(rows: Sequence[Row]) -> int:
    """Rows that do not add up; for this vote a blank counts as nothing."""
    broken = 0
    for row in rows:
        if len(row.line.slots) == len(row.columns):
            numbers = numbers_of(row.key, row.column_keys, row.line.slots)
            filled = {key: number or 0 for key, number in numbers.items()}
            broken += tally(row_total(row.key), filled).is_broken
    return broken


def _unclear_total(document: Document, row: Row) -> Finding:
    return reading_finding(
        "unclear_header",
        f"{printed(row.line)} – the header leaves open whether 总计 is the first or the last column",
        at=row.key,
        paths=[f"requests.{row.key}.{key}" for key in row.column_keys],
        evidence=[line_evidence(document, row.line)],
    )


def _remedies(document: Document, lines: Sequence[Line]) -> FormRows:
    """One line of 15 figures under the blocks, or a row a block under the five outcomes."""
    found = sections(lines, "remedies", len(OUTCOMES))
    by_row = _block_rows(found)
    if by_row:
        rows, left = by_row
        return FormRows("remedies", None, tuple(rows), tuple(_left_over(document, line) for line in left))
    header = next((section.header for section in found if section.header), None)
    findings = []
    if header is None:
        header = default_header(REMEDY_COLUMNS)
        findings.append(_missing_header(document, KindLines("remedies", tuple(lines))))
    body = [body.line for section in found for body in section.lines if body.line.slots]
    line, left = _only_line(body, len(header.columns))
    findings += [_left_over(document, other) for other in left]
    row = [Row(REMEDY_LINE, line, header.columns, 1.0)] if line else []
    return FormRows("remedies", None, tuple(row), tuple(findings))


def _only_line(lines: Sequence[Line], width: int) -> tuple[Line | None, list[Line]]:
    """The one line of figures, and those left over; a row that a page break cut is joined."""
    filled = [line for line in lines if line.figures]
    full = next((line for line in filled if len(line.slots) == width), None)
    if full:
        return full, [line for line in filled if line is not full]
    if not filled:
        return (lines[0] if lines else None), []
    slots = tuple(slot for line in filled for slot in line.slots)
    return Line((), slots, filled[0].is_stream, filled[0].is_grid), []


def _block_rows(found: Sequence[Section]) -> tuple[list[Row], list[Line]] | None:
    rows: dict[str, Row] = {}
    left: list[Line] = []
    for section in found:
        if section.header is None or set(section.header.keys) - set(OUTCOMES):
            return None
        for body in section.lines:
            match = block_labels().match(body.line.pieces[-1].cell.text) if body.line.pieces else None
            if match and match.key not in rows and body.line.slots:
                rows[match.key] = Row(match.key, body.line, section.header.columns, match.confidence)
            elif body.line.figures:
                left.append(body.line)
    return (list(rows.values()), left) if rows else None


def _left_over(document: Document, line: Line) -> Finding:
    evidence = line_evidence(document, line)
    if is_bare_number(line):
        return reading_finding(
            "unclaimed_cell",
            f"A figure without a label was left out: {line.figures[0].cell.text}",
            evidence=[whole_cell(line.figures[0])],
        )
    return reading_finding(
        "unclaimed_row", f"A row with figures that no label claims: {printed(line)}", evidence=[evidence]
    )


def _missing_header(document: Document, part: KindLines) -> Finding:
    return reading_finding(
        "missing_header",
        f"The {part.kind} table has no header that could be read: figures go in the order of the form",
        at=part.kind,
        evidence=[line_evidence(document, part.lines[0])],
    )
