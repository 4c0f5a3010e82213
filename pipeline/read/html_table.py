"""The grid of a web table: spans laid out, also where they lie.

Cells keep their order. A cell that would overlap one that is already there moves
right to the next free columns; a span that reaches over the table's edge is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipeline.document import CellDraft
from pipeline.read.characters import collapse, join_lines
from pipeline.read.lines import is_figure
from pipeline.read.parts import TablePart

# Marks a line end inside the tree; from the private use area, so that no source holds it.
BREAK = "\ue000"

_MAX_PLAUSIBLE_SPAN = 60
_ROW_GROUPS = frozenset(("tbody", "thead", "tfoot"))
_ROWS = frozenset(("tr",))
_CELLS = frozenset(("td", "th"))
_PROSE = 150
_SENTENCES = 2
_FIGURES_OF_DATA = 8


@dataclass(frozen=True, slots=True)
class RawCell:
    """A cell as it stands in the source, text not yet cleaned."""

    text: str
    row_span: int
    column_span: int
    node: LexborNode


@dataclass(frozen=True, slots=True)
class RawTable:
    """Rows of a table without those of tables inside it."""

    rows: list[list[RawCell]]

    @property
    def cell_count(self) -> int:
        """Cells in all rows."""
        return sum(len(row) for row in self.rows)

    @property
    def nodes(self) -> Iterator[LexborNode]:
        """The cells' places in the tree."""
        return (cell.node for row in self.rows for cell in row)


def markup_table(markup: str) -> TablePart | None:
    """The first table of a piece of HTML inside another carrier; None if it has none."""
    node = LexborHTMLParser(markup).css_first("table")
    if node is None:
        return None
    for line_end in node.css("br"):
        line_end.replace_with(BREAK)
    return table_part(raw_table(node), clean_cell)


def clean_cell(text: str) -> str:
    """The text of a cell on one line; its blocks are parted by BREAK."""
    if text.isalnum():
        return text
    joined = ""
    for piece in text.split(BREAK):
        joined = join_lines(joined, collapse(piece), same_figure=False)
    return joined


def raw_table(table: LexborNode) -> RawTable:
    """Rows and cells; blocks inside a cell are parted by BREAK."""
    return RawTable([[_raw_cell(cell) for cell in _own(row, _CELLS)] for row in _own_rows(table)])


def _own_rows(table: LexborNode) -> Iterator[LexborNode]:
    """The rows of this table and not of those inside it."""
    for child in table.iter():
        if child.tag == "tr":
            yield child
        elif child.tag in _ROW_GROUPS:
            yield from _own(child, _ROWS)


def _own(node: LexborNode, tags: frozenset[str]) -> Iterator[LexborNode]:
    return (child for child in node.iter() if child.tag in tags)


def _raw_cell(cell: LexborNode) -> RawCell:
    first = cell.first_child
    if first is not None and first.next is not None:
        for block in cell.css("p,div,li,h1,h2,h3,h4,h5,h6"):
            block.insert_after(BREAK)
    attributes = cell.attributes
    return RawCell(
        cell.text(deep=True),
        _span(attributes.get("rowspan"), zero=0),
        _span(attributes.get("colspan"), zero=1),
        cell,
    )


def _span(value: str | None, *, zero: int) -> int:
    """A span attribute as browsers read it: digits up to the first other character."""
    if value is None:
        return 1
    digits = ""
    for char in value.strip():
        if not char.isdecimal():
            break
        digits += char
    if not digits:
        return 1
    return int(digits[:6]) or zero


def is_data(table: RawTable, table_marks: str) -> bool:
    """Whether the table shows data; otherwise it only places text on the page."""
    texts = [cell.text.strip() for row in table.rows for cell in row]
    if _has_figures(texts):
        return True
    if any(mark in text for text in texts for mark in table_marks):
        return False
    wide = max((len(row) for row in table.rows), default=0)
    filled_rows = sum(1 for row in table.rows if any(cell.text.strip() for cell in row))
    if wide < 2 or filled_rows < 2:
        return False
    return not any(len(text) > _PROSE and text.count("。") >= _SENTENCES for text in texts)


def _has_figures(texts: Sequence[str]) -> bool:
    """Whether enough cells hold a bare figure for the table to be data whatever else it holds."""
    found = 0
    for text in texts:
        found += text.isdecimal() or (len(text) <= 20 and is_figure(text))
        if found >= _FIGURES_OF_DATA:
            return True
    return False


def table_part(table: RawTable, clean: Callable[[str], str]) -> TablePart:
    """The grid: every cell with its column and spans, clipped to the table."""
    width = _width(table)
    height = len(table.rows)
    taken: set[tuple[int, int]] = set()
    rows: list[list[CellDraft]] = []
    for top, row in enumerate(table.rows):
        column = 0
        drafts: list[CellDraft] = []
        for cell in row:
            tall = min(cell.row_span, height - top) if cell.row_span else height - top
            wide = min(cell.column_span, width)
            column = _next_free(taken, top, column, wide)
            if column + wide > width and column < width:
                wide = width - column
            if tall > 1:
                _take(taken, range(top + 1, top + tall), range(column, column + wide))
            drafts.append(CellDraft(clean(cell.text), column, tall, wide))
            column += wide
        rows.append(drafts)
    return TablePart(rows, "grid")


def _width(table: RawTable) -> int:
    """Columns of the widest row by honest spans; a span beyond that is cut to it."""
    return max((sum(_honest(cell) for cell in row) for row in table.rows), default=0)


def _honest(cell: RawCell) -> int:
    return cell.column_span if cell.column_span <= _MAX_PLAUSIBLE_SPAN else 1


def _next_free(taken: set[tuple[int, int]], row: int, column: int, wide: int) -> int:
    """The first column from `column` on where `wide` places of the row are free."""
    while True:
        clashes = [each for each in range(column, column + wide) if (row, each) in taken]
        if not clashes:
            return column
        column = clashes[-1] + 1


def _take(taken: set[tuple[int, int]], rows: range, columns: range) -> None:
    taken.update((row, column) for row in rows for column in columns)
