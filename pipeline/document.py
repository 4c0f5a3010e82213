"""A report as it was read: canonical text, blocks, tables, and where each stands.

The canonical text is the one string that all evidence points into. A paragraph
or heading is one line of it; a table is one line a row with cells separated by
tabs. Positions are characters of that string, `start` inclusive, `end` exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

BlockKind = Literal["heading", "paragraph", "table"]
TableForm = Literal["grid", "flat"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` (inclusive) to `end` (exclusive) of the canonical text."""

    start: int
    end: int

    def covers(self, other: Span) -> bool:
        """Whether `other` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from the page's upper left corner."""

    x0: float
    top: float
    x1: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell; `row` and `column` count from 0 and name its upper left place."""

    text: str
    span: Span
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    page: int | None = None
    box: Box | None = None


@dataclass(frozen=True)
class Table:
    """A table as printed.

    `form` tells how far the places of cells can be trusted: in a `grid` (HTML,
    ruled PDF) `column` is the grid column after spans were laid out; in a `flat`
    one (tab-separated or one cell a line) it is only the order within the line.
    A table that goes on over a page break is one Table.
    """

    index: int
    cells: tuple[Cell, ...]
    span: Span
    form: TableForm = "grid"

    @cached_property
    def rows(self) -> tuple[tuple[Cell, ...], ...]:
        """Cells by the row in which they begin, each row in column order."""
        height = 1 + max((cell.row for cell in self.cells), default=-1)
        rows: list[list[Cell]] = [[] for _ in range(height)]
        for cell in self.cells:
            rows[cell.row].append(cell)
        return tuple(tuple(sorted(row, key=lambda cell: cell.column)) for row in rows)


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph or table, in reading order; `table` indexes `Document.tables`."""

    kind: BlockKind
    span: Span
    page: int | None = None
    table: int | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """A labelled value printed outside the article: an index number, a publication date."""

    label: str
    value: str
    span: Span


@dataclass(frozen=True)
class Document:
    """A report as read. `page_count` is None where the carrier has no pages."""

    doc_id: str
    file: str
    sha256: str
    media_type: str
    text: str
    blocks: tuple[Block, ...]
    tables: tuple[Table, ...]
    metadata: tuple[Metadata, ...] = ()
    page_count: int | None = None
    notes: tuple[str, ...] = field(default=())

    def slice(self, span: Span) -> str:
        """The characters of `span`."""
        return self.text[span.start : span.end]

    def page_of(self, span: Span) -> int | None:
        """The page of the block in which `span` begins, counted from 1."""
        for block in self.blocks:
            if block.span.start <= span.start < max(block.span.end, block.span.start + 1):
                if block.table is not None:
                    return self._cell_page(self.tables[block.table], span) or block.page
                return block.page
        return None

    @staticmethod
    def _cell_page(table: Table, span: Span) -> int | None:
        for cell in table.cells:
            if cell.span.covers(span):
                return cell.page
        return None


class DocumentBuilder:
    """Collects blocks in reading order and lays out the canonical text."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._tables: list[Table] = []
        self._metadata: list[Metadata] = []

    def _append(self, text: str) -> Span:
        span = Span(self._length, self._length + len(text))
        self._parts.append(text)
        self._length += len(text)
        return span

    def add_text(self, kind: Literal["heading", "paragraph"], text: str, page: int | None = None) -> Span:
        """Append a heading or paragraph as one line; line breaks in `text` become spaces."""
        span = self._append(" ".join(text.split("\n")).strip())
        self._append("\n")
        self._blocks.append(Block(kind, span, page))
        return span

    def add_metadata(self, label: str, value: str, page: int | None = None) -> None:
        """Append `label：value` as a line and remember it as metadata."""
        line = self.add_text("paragraph", f"{label}：{value}", page)
        start = line.end - len(value)
        self._metadata.append(Metadata(label, value, Span(start, line.end)))

    def add_table(self, rows: list[list[CellDraft]], form: TableForm) -> Table:
        """Append a table; each inner list is a row of drafts in printed order."""
        start = self._length
        cells: list[Cell] = []
        for row_index, row in enumerate(rows):
            for position, draft in enumerate(row):
                if position:
                    self._append("\t")
                span = self._append(draft.text)
                column = position if draft.column is None else draft.column
                spans = (draft.row_span, draft.column_span)
                cells.append(Cell(draft.text, span, row_index, column, *spans, draft.page, draft.box))
            self._append("\n")
        table = Table(len(self._tables), tuple(cells), Span(start, max(start, self._length - 1)), form)
        first_page = next((cell.page for cell in cells if cell.page is not None), None)
        self._tables.append(table)
        self._blocks.append(Block("table", table.span, first_page, table.index))
        return table

    def build(
        self,
        *,
        doc_id: str,
        file: str,
        sha256: str,
        media_type: str,
        page_count: int | None = None,
        notes: tuple[str, ...] = (),
    ) -> Document:
        """The finished document."""
        return Document(
            doc_id=doc_id,
            file=file,
            sha256=sha256,
            media_type=media_type,
            text="".join(self._parts),
            blocks=tuple(self._blocks),
            tables=tuple(self._tables),
            metadata=tuple(self._metadata),
            page_count=page_count,
            notes=notes,
        )


@dataclass(frozen=True, slots=True)
class CellDraft:
    """A cell before its place in the canonical text is known. `text` holds no tab or newline."""

    text: str
    column: int | None = None
    row_span: int = 1
    column_span: int = 1
    page: int | None = None
    box: Box | None = None
