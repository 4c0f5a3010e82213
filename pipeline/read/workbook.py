"""Excel workbooks (.xlsx): lines and tables of every visible sheet, as they are shown.

openpyxl opens the package; formulas count with the result that was saved with them.
A run of rows with several filled cells is a table; a row with one is a line of text.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from pipeline.document import CellDraft
from pipeline.errors import BrokenFile
from pipeline.read.characters import collapse, plain_newlines
from pipeline.read.flow import Line
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.metadata import pairs_in_rows
from pipeline.read.package import opened_within
from pipeline.read.parts import Part, Reading, TablePart
from pipeline.read.text import line_parts

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHAPTER = re.compile("[一二三四五六七八九十]+、")
_LONGEST_LABEL = 60
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_DAMAGED = (
    "the Excel workbook is damaged or cut off: it cannot be opened. Get the file again from its source, or "
    "open it in Excel or LibreOffice and save it again as .xlsx."
)
# What zipfile, openpyxl and its parser raise on damaged packages; caught around their calls only.
_FAULTS = (
    zipfile.BadZipFile,
    InvalidFileException,
    SyntaxError,  # of XML: xml.etree.ElementTree.ParseError is one
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    ArithmeticError,
    NotImplementedError,
    EOFError,
    OSError,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class _Merge:
    """Rows and columns that the upper left cell of a merged range takes up."""

    row_span: int
    column_span: int


def read_workbook(data: bytes, limits: Limits) -> Reading:
    """Parts of a workbook. Raises BrokenFile, TooLarge."""
    try:
        _refuse_large(data, limits)
        # Without rich text and links: nothing outside of the package is ever opened.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what it mends in a damaged package
            workbook = openpyxl.load_workbook(BytesIO(data), data_only=True, keep_links=False)
    except _FAULTS as error:
        raise BrokenFile(_DAMAGED) from error
    parts: list[Part] = []
    hidden = []
    for sheet in workbook.worksheets:
        if sheet.sheet_state != "visible":
            hidden.append(sheet.title)
            continue
        refuse_above(sheet.max_row * sheet.max_column, limits.table_cells, "table cells")
        parts.extend(_sheet_parts(sheet))
    notes = (f"hidden sheets are not read: {', '.join(hidden)}",) if hidden else ()
    return Reading(parts, MEDIA_TYPE, notes=notes)


def _refuse_large(data: bytes, limits: Limits) -> None:
    """Refuse before anything is built from it: what unpacks to too much, or holds too many cells."""
    with opened_within(data, limits) as package:
        sheets = [member for member in package.infolist() if _SHEET.fullmatch(member.filename)]
        cells = sum(package.read(sheet).count(b"<c ") for sheet in sheets)
    refuse_above(cells, limits.table_cells, "table cells")


def _sheet_parts(sheet: Any) -> list[Part]:
    merges = {
        (each.min_row, each.min_col): _Merge(each.max_row - each.min_row + 1, each.max_col - each.min_col + 1)
        for each in sheet.merged_cells.ranges
    }
    rows = [
        [cell for cell in row if _text(cell)]
        for number, row in enumerate(sheet.iter_rows(), start=1)
        if not sheet.row_dimensions[number].hidden
    ]
    parts: list[Part] = []
    lines: list[Line] = []
    for run in _runs(rows):
        if len(run) == 1 and len(run[0]) <= 1:
            lines.extend(Line(_text(cell)) for cell in run[0])
            continue
        parts.extend(line_parts(lines))
        lines.clear()
        drafts = _grid(run, merges)
        pairs = pairs_in_rows([[draft.text for draft in row] for row in drafts])
        parts.extend([TablePart(drafts, "grid")] if pairs is None else pairs)
    parts.extend(line_parts(lines))
    return parts


def _runs(rows: Sequence[list[Any]]) -> Iterator[list[list[Any]]]:
    """Tables as runs of rows; every other row alone. A row of a single cell does not end a table."""
    position = 0
    while position < len(rows):
        end = position + 1
        if len(rows[position]) > 1:
            while end < len(rows) and (len(rows[end]) > 1 or _is_label(rows[end])):
                end += 1
        yield list(rows[position:end])
        position = end


def _is_label(row: Sequence[Any]) -> bool:
    """Whether a row is one short text: the label of a row whose figures are blank, and no chapter."""
    if len(row) != 1:
        return False
    text = _text(row[0])
    return len(text) <= _LONGEST_LABEL and "。" not in text and not _CHAPTER.match(text)


def _grid(run: Sequence[list[Any]], merges: dict[tuple[int, int], _Merge]) -> list[list[CellDraft]]:
    """The table with its blank cells, which tell a column from the next."""
    first, last = run[0][0].row, run[-1][0].row
    filled = {(cell.row, cell.column): cell for row in run for cell in row}
    columns = [column for _, column in filled]
    covered: set[tuple[int, int]] = set()
    drafts: list[list[CellDraft]] = []
    for row in range(first, last + 1):
        drafts.append([])
        for column in range(min(columns), max(columns) + 1):
            if (row, column) in covered:
                continue
            merge = merges.get((row, column), _Merge(1, 1))
            tall = min(merge.row_span, last - row + 1)
            covered |= {(row + i, column + j) for i in range(tall) for j in range(merge.column_span)}
            cell = filled.get((row, column))
            text = "" if cell is None else _text(cell)
            drafts[-1].append(CellDraft(text, column - min(columns), tall, merge.column_span))
    return drafts


def _text(cell: Any) -> str:
    """A cell as it is shown: whole numbers without a point, shares as per cent, dates as such."""
    value = cell.value
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value)
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format or ""))
    if isinstance(value, datetime | date):
        return value.strftime("%Y-%m-%d")
    return collapse(plain_newlines(str(value))).replace("\t", " ")


def _number(value: int | float, number_format: str) -> str:
    if number_format.rstrip().endswith("%"):
        return f"{value * 100:.10g}%"
    return f"{value:.15g}"
