"""Excel workbooks for tests, made with openpyxl: by hand, or from a report that was read."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl

from pipeline.document import Document, Table


def excel(
    rows: Sequence[Sequence[Any]], merged: Sequence[str] = (), formats: dict[str, str] | None = None
) -> bytes:
    """A workbook of one sheet."""
    workbook = openpyxl.Workbook()
    sheet: Any = workbook.active
    for row in rows:
        sheet.append(list(row))
    for place in merged:
        sheet.merge_cells(place)
    for place, number_format in (formats or {}).items():
        sheet[place].number_format = number_format
    return saved(workbook)


def saved(workbook: Any) -> bytes:
    written = BytesIO()
    workbook.save(written)
    return written.getvalue()


def as_excel(report: Document, path: Path) -> Path:
    """The report as a workbook at `path`."""
    path.write_bytes(excel_of(report))
    return path


def excel_of(report: Document) -> bytes:
    """The report on one sheet: a paragraph a row, tables below each other, figures as numbers."""
    workbook = openpyxl.Workbook()
    sheet: Any = workbook.active
    row = 1
    for block in report.blocks:
        if block.table is None:
            sheet.cell(row, 1, report.slice(block.span))
            row += 1
        else:
            row = _write(sheet, report.tables[block.table], row + 1) + 1
    return saved(workbook)


def _write(sheet: Any, table: Table, top: int) -> int:
    """Write a table from row `top` on; the row behind it."""
    for cell in table.cells:
        row, column = top + cell.row, 1 + cell.column
        sheet.cell(row, column, int(cell.text) if cell.text.isdecimal() else cell.text)
        if cell.row_span > 1 or cell.column_span > 1:
            end = {"end_row": row + cell.row_span - 1, "end_column": column + cell.column_span - 1}
            sheet.merge_cells(start_row=row, start_column=column, **end)
    return top + len(table.rows)
