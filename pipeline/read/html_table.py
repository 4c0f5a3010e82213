"""The grid of a web table: spans laid out, also where they lie.

Cells keep their order. A cell that would overlap one that is already there moves
right to the next free columns; a span that reaches over the table's edge is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise, takewhile
from typing import NamedTuple, TypeVar

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipeline.document import CellDraft
from pipeline.read.characters import collapse, join_lines
from pipeline.read.html_tree import BREAK, HEADING, LAYOUT, TABLE, elements_of, mark_lines, tag_ids
from pipeline.read.limits import DEFAULT_LIMITS, Limits, refuse_above
from pipeline.read.lines import is_figure
from pipeline.read.parts import TablePart

_MAX_PLAUSIBLE_SPAN = 60
_PROSE = 150
_SENTENCES = 2
_FIGURES_OF_DATA = 8
# What may stand at the edges of a cell's text and shows nothing.
_EDGES = BREAK + HEADING + " \t\n\u00a0\u3000"
_TABLE_MARK = re.compile(f"{TABLE}(\\d+){TABLE}")


_Value = TypeVar("_Value")


class Extent(NamedTuple):
    """Rows and columns that a cell says it covers; 0 rows reach to the table's end."""

    rows: int
    columns: int


_SINGLE = Extent(1, 1)


@dataclass(frozen=True, slots=True)
class RawTable:
    """Cells of a table without those of tables inside it, in order, and how many stand in each row.

    Texts are as they stand in the source, with marks.
    """

    row_lengths: list[int]
    texts: list[str]
    extents: list[Extent]
    nodes: list[LexborNode]

    @property
    def inner(self) -> list[int]:
        """Numbers of the data tables inside its cells."""
        nested = [text for text in self.texts if TABLE in text]
        return [int(number) for text in nested for number in _TABLE_MARK.findall(text)]

    def by_row(self, values: Sequence[_Value]) -> list[Sequence[_Value]]:
        """Something of each cell, row by row."""
        ends = list(accumulate(self.row_lengths, initial=0))
        return [values[start:end] for start, end in pairwise(ends)]


def markup_table(markup: str, limits: Limits = DEFAULT_LIMITS) -> TablePart | None:
    """The first table of a piece of HTML inside another carrier; None if it has none. Raises TooLarge."""
    elements = elements_of(LexborHTMLParser(markup))
    if not elements.tables:
        return None
    mark_lines(elements)
    return table_part(raw_table(elements.tables[0]), limits)


@lru_cache(maxsize=4096)  # The same labels stand in every report.
def cell_text(text: str) -> str:
    """The text of a cell on one line, its blocks joined and all marks gone."""
    if BREAK in text:  # No other mark stands without one.
        text = _TABLE_MARK.sub("", text).replace(LAYOUT, BREAK).strip(_EDGES)
    if BREAK not in text:
        return collapse(text)
    joined = ""
    for piece in text.replace(HEADING, "").split(BREAK):
        joined = join_lines(joined, collapse(piece), same_figure=False)
    return joined


def raw_table(table: LexborNode) -> RawTable:
    """Rows and cells of a table in whose tree lines are marked."""
    tags = tag_ids("td th")
    rows = [[cell for cell in row.iter() if cell.tag_id in tags] for row in _own_rows(table)]
    cells = [cell for row in rows for cell in row]
    extents = [
        _extent(attributes.get("rowspan"), attributes.get("colspan"))
        if "colspan" in attributes or "rowspan" in attributes
        else _SINGLE
        for attributes in [cell.attributes for cell in cells]
    ]
    return RawTable([len(row) for row in rows], [cell.text_lexbor() for cell in cells], extents, cells)


def _own_rows(table: LexborNode) -> Iterator[LexborNode]:
    """The rows of this table and not of those inside it."""
    rows, groups = tag_ids("tr"), tag_ids("tbody thead tfoot")
    for child in table.iter():
        if child.tag_id in groups:
            yield from (row for row in child.iter() if row.tag_id in rows)
        elif child.tag_id in rows:
            yield child


@lru_cache(maxsize=256)
def _extent(rows: str | None, columns: str | None) -> Extent:
    """What the attributes say, as browsers read them: 0 rows reach to the end, 0 columns are 1."""
    return Extent(_span(rows, zero=0), _span(columns, zero=1))


def _span(value: str | None, *, zero: int) -> int:
    """Digits up to the first other character."""
    digits = "".join(takewhile(str.isdecimal, (value or "").strip()))
    return int(digits[:6]) or zero if digits else 1


def is_data(table: RawTable) -> bool:
    """Whether the table shows data; otherwise it only places text on the page."""
    if _has_figures(table.texts):
        return True
    joined = "".join(table.texts)
    if TABLE in joined or LAYOUT in joined:
        return False
    filled_rows = [row for row in table.by_row(table.texts) if "".join(row).strip(_EDGES).strip()]
    if max(table.row_lengths, default=0) < 2 or len(filled_rows) < 2:
        return False
    return not any(len(text) > _PROSE and text.count("。") >= _SENTENCES for text in table.texts)


def _has_figures(texts: Sequence[str]) -> bool:
    """Whether enough cells hold a bare figure for the table to be data whatever else it holds."""
    found = 0
    for text in texts:
        found += text.isdecimal() or ((not text.isalpha() or len(text) == 1) and _is_figure(text))
        if found >= _FIGURES_OF_DATA:
            return True
    return False


def _is_figure(text: str) -> bool:
    text = text.strip(_EDGES).strip()
    return len(text) <= 20 and is_figure(text)


def table_part(table: RawTable, limits: Limits) -> TablePart:
    """The grid: every cell with its column and spans, clipped to the table. Raises TooLarge."""
    texts = table.by_row([text if text.isalnum() else cell_text(text) for text in table.texts])
    extents = table.by_row(table.extents)
    grid = _Grid(max(map(_width, extents), default=0), len(extents))
    rows = []
    for top, (row_texts, row_extents) in enumerate(zip(texts, extents, strict=True)):
        rows.append(grid.row(top, row_texts, row_extents))
        refuse_above(len(grid.open_until), limits.table_columns, "table columns")
    return TablePart(rows, "grid")


def _width(extents: Sequence[Extent]) -> int:
    """Columns of a row by its honest spans: one that no table has does not make it wider."""
    if _are_single(extents):
        return len(extents)
    return sum(columns if columns <= _MAX_PLAUSIBLE_SPAN else 1 for _, columns in extents)


def _are_single(extents: Sequence[Extent]) -> bool:
    return extents.count(_SINGLE) == len(extents)


@dataclass(slots=True)
class _Grid:
    """Where cells go; `open_until` has the rows where cells from above end, by column."""

    width: int
    height: int
    open_until: dict[int, int] = field(default_factory=dict)

    def row(self, top: int, texts: Sequence[str], extents: Sequence[Extent]) -> list[CellDraft]:
        """The cells of a row in their columns."""
        taken = {column for column, end in self.open_until.items() if end > top}
        column = 0
        while column in taken:
            column += 1
        if _are_single(extents) and column > max(taken, default=-1):
            return [CellDraft(text, at) for at, text in enumerate(texts, column)]
        return self._row_of_spans(top, taken, texts, extents)

    def _row_of_spans(
        self, top: int, taken: set[int], texts: Sequence[str], extents: Sequence[Extent]
    ) -> list[CellDraft]:
        drafts = []
        column = 0
        for text, extent in zip(texts, extents, strict=True):
            tall, wide = extent
            if extent is not _SINGLE:
                tall = min(tall or self.height, self.height - top)
                wide = min(wide, self.width)
            if taken:
                column = _next_free(taken, column, wide)
            if column < self.width < column + wide:
                wide = self.width - column
            if tall > 1:
                self.open_until.update(dict.fromkeys(range(column, column + wide), top + tall))
            drafts.append(CellDraft(text, column, tall, wide))
            column += wide
        return drafts


def _next_free(taken: set[int], column: int, wide: int) -> int:
    """The first column from `column` on where `wide` columns are free."""
    while not taken.isdisjoint(range(column, column + wide)):
        column += 1
    return column
