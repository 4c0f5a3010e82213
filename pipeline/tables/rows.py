"""Printed tables as lines: label pieces on the left, figures on the right.

A line of a grid or of tab-separated text is a printed row. Where every cell stands on a
line of its own, a run of texts and the run of figures behind it make one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from pipeline.document import Cell, Span, Table
from pipeline.tables.cells import CellValue, parse_cell

_HAN = re.compile("[\u3400-\u9fff]")
_SHORTEST_LABEL = 2
_HALF_WIDTH = str.maketrans("，－／", ",-/")
STREAM_SHARE = 0.8  # share of single-cell rows from which on a flat table is one cell a line

_FOOTER = re.compile(
    r"第\d+页(?:[,/]?共\d+页)?|共\d+页|\d+/\d+页|[-—–]+\d{1,3}[-—–]+|page\d+(?:of\d+)?", re.IGNORECASE
)


@dataclass(frozen=True)
class PlacedCell:
    """A cell and the table that it stands in."""

    table: int
    cell: Cell

    @cached_property
    def reading(self) -> CellValue:
        """The cell read as a plain count."""
        return parse_cell(self.cell.text)

    @property
    def is_figure(self) -> bool:
        """Whether the cell holds a number, a zero in words or a stroke."""
        return self.reading.is_figure

    @property
    def is_blank(self) -> bool:
        """Whether nothing is printed in the cell."""
        return self.reading.is_blank

    @property
    def is_text(self) -> bool:
        """Whether the cell may be a piece of a label: what was misread in a scan, as `O` for 0, is none."""
        if self.is_figure or self.is_blank:
            return False
        return self.cell.confidence is None or len(_HAN.findall(self.cell.text)) >= _SHORTEST_LABEL

    @property
    def right_edge(self) -> int:
        """The first grid column behind the cell."""
        return self.cell.column + self.cell.column_span


@dataclass(frozen=True)
class Line:
    """One row as printed: its label in pieces, and the places behind it.

    `slots` holds figures and blanks in printed order (in a grid also texts that are no
    figures but stand among them). `is_stream` tells that blanks leave no trace in it.
    """

    pieces: tuple[PlacedCell, ...]
    slots: tuple[PlacedCell, ...]
    is_stream: bool = False
    is_grid: bool = False

    @cached_property
    def cells(self) -> tuple[PlacedCell, ...]:
        """All cells, label first."""
        return self.pieces + self.slots

    @cached_property
    def figures(self) -> tuple[PlacedCell, ...]:
        """What is printed behind the label, blanks left out."""
        return tuple(slot for slot in self.slots if not slot.is_blank)

    @property
    def table(self) -> int:
        """The table in which the line begins."""
        return self.cells[0].table

    @cached_property
    def span(self) -> Span:
        """From the label to the last figure."""
        spans = [placed.cell.span for placed in self.cells]
        return Span(min(span.start for span in spans), max(span.end for span in spans))

    @property
    def label(self) -> str:
        """The label pieces as printed, joined."""
        return "".join(piece.cell.text for piece in self.pieces)

    def with_pieces(self, pieces: tuple[PlacedCell, ...]) -> Line:
        """The same line with other label pieces."""
        return replace(self, pieces=pieces)


@lru_cache(maxsize=4096)
def is_footer(text: str) -> bool:
    """Page numbers with their marks: 第4页 共6页, - 4 -. A bare number is none."""
    return bool(_FOOTER.fullmatch("".join(text.split()).translate(_HALF_WIDTH)))


def printed_lines(table: Table) -> tuple[Line, ...]:
    """The lines of a table in reading order; page footers and empty stretches are left out."""
    rows = [[PlacedCell(table.index, cell) for cell in row if not is_footer(cell.text)] for row in table.rows]
    if is_stream(table):
        return tuple(_stream_lines(placed for row in rows for placed in row))
    lines = (_row_line(row, table.form == "grid") for row in rows if row)
    return tuple(line for line in lines if line.pieces or line.slots)


def is_stream(table: Table) -> bool:
    """Whether the table is flat text with one cell a line."""
    rows = [row for row in table.rows if row]
    single = sum(len(row) == 1 for row in rows)
    return table.form == "flat" and bool(rows) and single >= STREAM_SHARE * len(rows)


def _row_line(row: list[PlacedCell], is_grid: bool) -> Line:
    """Texts before the first figure are label, all behind the last of them are places."""
    first_figure = next(
        (at for at, placed in enumerate(row) if placed.is_figure and _has_text(row[:at])), None
    )
    if first_figure is None and any(placed.is_figure for placed in row) and not _has_text(row):
        first_figure = 0
    head = row if first_figure is None else row[:first_figure]
    last_text = max((at for at, placed in enumerate(head) if placed.is_text), default=-1)
    pieces = tuple(placed for placed in row[: last_text + 1] if placed.is_text)
    return Line(pieces, tuple(row[last_text + 1 :]), is_grid=is_grid)


def _has_text(cells: list[PlacedCell]) -> bool:
    return any(placed.is_text for placed in cells)


def _stream_lines(cells: Iterable[PlacedCell]) -> Iterator[Line]:
    pieces: list[PlacedCell] = []
    slots: list[PlacedCell] = []
    for placed in cells:
        if not placed.is_text:
            slots.append(placed)
            continue
        if slots:
            yield Line(tuple(pieces), tuple(slots), is_stream=True)
            pieces, slots = [], []
        pieces.append(placed)
    if pieces or slots:
        yield Line(tuple(pieces), tuple(slots), is_stream=True)


def is_bare_number(line: Line) -> bool:
    """A figure alone in its row, as a page number leaves it."""
    return not line.pieces and len(line.figures) == 1
