"""Excel: a workbook with a sheet a table, the codebook first; text is text, never a formula.

What a sheet cannot hold is said on the sheet `readme`: a table of more rows than a sheet has
goes on in a further sheet, a text of more than 32,767 characters is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.export.table import Column, Row, Table, TableSpec

if TYPE_CHECKING:
    from xlsxwriter import Workbook  # type: ignore[import-untyped]
    from xlsxwriter.format import Format  # type: ignore[import-untyped]
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

MAX_ROWS = 1_048_576
MAX_CHARACTERS = 32_767
README, FIRST = "readme", "codebook"
_CUT = "…"
_NUMBER_WIDTH, _TEXT_WIDTH, _WORD_WIDTH, _LONG_WIDTH = 12, 24, 14, 48
_LONG_TEXTS = ("meaning", "message", "raw", "value_text", "error", "label")


def write_excel(
    path: Path, tables: Iterable[Table], about: Mapping[str, str], max_rows: int = MAX_ROWS
) -> dict[str, int]:
    """A workbook; the number of rows of each table. `about` goes onto the sheet `readme`.

    A sheet has `max_rows` rows with its header.
    """
    import xlsxwriter

    counts: dict[str, int] = {}
    # Rows go to the disk as they come; no string is looked at for what it might be.
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as workbook:
        book = _Book(workbook, workbook.add_format({"bold": True, "bottom": 1}), max_rows)
        readme = book.add_sheet(README)
        for spec, rows in tables:
            counts[spec.name] = book.write(spec, rows)
        _write_readme(readme, book, about, counts)
        # The sheets stand in the order in which they were made, but for these.
        workbook.worksheets_objs.sort(key=lambda sheet: (sheet.name != FIRST, sheet.name != README))
        for place, sheet in enumerate(workbook.worksheets_objs):
            sheet.index = place
        workbook.worksheets_objs[0].activate()
    return counts


@dataclass
class _Book:
    """The workbook, and what happened to the tables on their way into it."""

    workbook: Workbook
    bold: Format
    max_rows: int
    notes: list[str] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)

    def add_sheet(self, name: str) -> Worksheet:
        return self.workbook.add_worksheet(name)

    def write(self, spec: TableSpec, rows: Iterable[Row]) -> int:
        """The rows onto as many sheets as they need."""
        self.meanings[spec.name] = spec.meaning
        total = 0
        remaining = iter(rows)
        upcoming = next(remaining, None)
        for number in count(1):
            name = spec.name if number == 1 else f"{spec.name}_{number}"
            sheet = self._new_sheet(name, spec)
            written = 0
            while upcoming is not None and written + 1 < self.max_rows:
                written += 1
                self._write_row(sheet, written, spec, upcoming)
                upcoming = next(remaining, None)
            sheet.autofilter(0, 0, written, len(spec.columns) - 1)
            total += written
            if number > 1:
                self.notes.append(
                    f"{spec.name} goes on in the sheet {name}: a sheet has {self.max_rows} rows"
                )
            if upcoming is None:
                return total
        raise AssertionError

    def _new_sheet(self, name: str, spec: TableSpec) -> Worksheet:
        sheet = self.add_sheet(name)
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(spec.columns):
            sheet.set_column(place, place, _width(column))
        for place, column in enumerate(spec.columns):
            sheet.write_string(0, place, column.name, self.bold)
        return sheet

    def _write_row(self, sheet: Worksheet, number: int, spec: TableSpec, row: Row) -> None:
        for place, column in enumerate(spec.columns):
            value = row.get(column.name)
            if isinstance(value, str):
                if len(value) > MAX_CHARACTERS // 2:
                    value = self._shortened(spec, value)
                if value:
                    sheet.write_string(number, place, value)
            elif value is not None:
                sheet.write_number(number, place, value)

    def _shortened(self, spec: TableSpec, text: str) -> str:
        """Excel counts characters outside of the first plane as two."""
        units = text.encode("utf-16-le", "surrogatepass")
        if len(units) <= 2 * MAX_CHARACTERS:
            return text
        self.cut[spec.name] = self.cut.get(spec.name, 0) + 1
        return units[: 2 * (MAX_CHARACTERS - 1)].decode("utf-16-le", "ignore") + _CUT


def _width(column: Column) -> int:
    if column.type != "text":
        return _NUMBER_WIDTH
    if column.values:
        return _WORD_WIDTH
    return _LONG_WIDTH if column.name in _LONG_TEXTS else _TEXT_WIDTH


def _write_readme(sheet: Worksheet, book: _Book, about: Mapping[str, str], counts: Mapping[str, int]) -> None:
    cut = [
        f"{texts} texts of {name} are cut to {MAX_CHARACTERS} characters" for name, texts in book.cut.items()
    ]
    lines = [
        ("Annual disclosure reports (政府信息公开工作年度报告) as data", ""),
        *about.items(),
        ("", ""),
        *(
            (f"sheet {name}", f"{rows} rows; {book.meanings[name]}".rstrip("; "))
            for name, rows in counts.items()
        ),
        ("", ""),
        ("empty cells", "a column that ends in __status says why a value is not there: see the codebook"),
        *(("note", note) for note in (*book.notes, *cut)),
    ]
    sheet.set_column(0, 0, _TEXT_WIDTH)
    sheet.set_column(1, 1, 2 * _LONG_WIDTH)
    for row, (name, content) in enumerate(lines):
        sheet.write_string(row, 0, name, *([book.bold] if row == 0 else []))
        sheet.write_string(row, 1, content)
