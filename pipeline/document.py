"""A report as it was read: canonical text, blocks, tables, and where each stands.

The canonical text is the one string that all evidence points into. A paragraph
or heading is one line of it; a table is one line a row with cells separated by
tabs. Positions are characters of that string, `start` inclusive, `end` exclusive.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

BlockKind = Literal["heading", "paragraph", "table"]
TableForm = Literal["grid", "flat"]
Place = Literal["inside", "beside"]


# A document has hundreds of spans, cells and blocks: named tuples are made in a third of the time.
class Span(NamedTuple):
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


class Cell(NamedTuple):
    """A table cell; `row` and `column` count from 0 and name its upper left place.

    `start` is the place of its text in the canonical text. `confidence` (0..1) is that of
    the recogniser; None where characters were printed as such.
    """

    text: str
    start: int
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    page: int | None = None
    box: Box | None = None
    confidence: float | None = None

    @property
    def span(self) -> Span:
        """The cell's text in the canonical text."""
        return Span(self.start, self.start + len(self.text))


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


class Block(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class SourceHint:
    """What a list beside the files says of one. It stands outside of the document: no fact comes from it."""

    url: str | None = None
    place: str | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class PartFile:
    """A file whose text is part of a document: `inside` an archive, or attached, `beside` the file.

    `span` is its text, in front of it the line with its name; that line is no block, so that no
    name of a file is taken for a title or a figure.
    """

    file: str
    sha256: str
    place: Place
    span: Span


@dataclass(frozen=True, slots=True)
class Recognised:
    """A figure or other character outside of tables, recognised in a picture, and how surely (0..1)."""

    span: Span
    page: int | None
    box: Box | None
    confidence: float


@dataclass(frozen=True)
class Document:
    """A report as read. `page_count` is None where the carrier has no pages.

    `parts` has the files inside or beside `file`, in the order of their text: of an archive the
    report first, else only what is attached to the report. `recognised` lists in order what of
    the prose was recognised in pictures of pages.
    """

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
    losses: tuple[str, ...] = field(default=())
    hint: SourceHint | None = None
    parts: tuple[PartFile, ...] = field(default=())
    recognised: tuple[Recognised, ...] = ()

    def part_of(self, span: Span) -> int:
        """Which file a span stands in: 0 the report, 1 … what is attached to it."""
        return bisect_right([part.span.start for part in self._attached], span.start)

    def without_attachments(self) -> Document:
        """The report alone: what is attached to it stands behind it, so that places stay the same."""
        if not self._attached:
            return self
        end = self._attached[0].span.start
        return replace(
            self,
            text=self.text[:end],
            blocks=tuple(block for block in self.blocks if block.span.start < end),
            tables=tuple(table for table in self.tables if table.span.start < end),
            metadata=tuple(item for item in self.metadata if item.span.start < end),
            parts=tuple(part for part in self.parts if part.span.start < end),
            recognised=tuple(each for each in self.recognised if each.span.start < end),
        )

    @property
    def _attached(self) -> tuple[PartFile, ...]:
        return tuple(part for part in self.parts if part.span.start > 0)

    def confidence_of(self, span: Span) -> float | None:
        """How surely the least sure characters of `span` were recognised; None where none were."""
        recognised = (*_overlapping(self._recognised_cells, span), *self.recognised_in(span))
        return min((each.confidence for each in recognised), default=None)

    @cached_property
    def _recognised_cells(self) -> tuple[Recognised, ...]:
        """Cells of tables that were recognised in a picture; most documents have none."""
        return tuple(
            Recognised(cell.span, cell.page, cell.box, cell.confidence)
            for table in self.tables
            for cell in table.cells
            if cell.confidence is not None
        )

    def recognised_in(self, span: Span) -> tuple[Recognised, ...]:
        """What of `span`, outside of tables, was recognised in a picture."""
        return _overlapping(self.recognised, span)

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


def _overlapping(recognised: Sequence[Recognised], span: Span) -> tuple[Recognised, ...]:
    """Those of `recognised`, in order of their text, that share a character with `span`."""
    if not recognised:
        return ()
    first = bisect_left(recognised, span.start, key=lambda each: each.span.end)
    last = bisect_left(recognised, span.end, key=lambda each: each.span.start)
    return tuple(each for each in recognised[first:last] if _overlap(each.span, span))


def _overlap(first: Span, second: Span) -> bool:
    return first.start < second.end and second.start < first.end


class DocumentBuilder:
    """Collects blocks in reading order and lays out the canonical text."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._tables: list[Table] = []
        self._metadata: list[Metadata] = []
        self._files: list[PartFile] = []
        self._recognised: list[Recognised] = []

    def _append(self, text: str) -> Span:
        start = self._length
        self._parts.append(text)
        self._length = end = start + len(text)
        return Span(start, end)

    def _part_with(self, separator: str) -> None:
        self._parts.append(separator)
        self._length += 1

    @property
    def length(self) -> int:
        """Characters of the canonical text so far."""
        return self._length

    def add_text(self, kind: Literal["heading", "paragraph"], text: str, page: int | None = None) -> Span:
        """Append a heading or paragraph as one line; line breaks in `text` become spaces."""
        span = self._append(text.replace("\n", " ").strip())
        self._part_with("\n")
        self._blocks.append(Block(kind, span, page))
        return span

    def add_metadata(self, label: str, value: str, page: int | None = None) -> None:
        """Append `label：value` as a line and remember it as metadata."""
        line = self.add_text("paragraph", f"{label}：{value}", page)
        start = line.end - len(value)
        self._metadata.append(Metadata(label, value, Span(start, line.end)))

    def add_recognised(self, recognised: Iterable[Recognised]) -> None:
        """Remember which characters of the text appended last were recognised in a picture."""
        self._recognised.extend(recognised)

    def add_file(self, file: str, sha256: str, place: Place) -> None:
        """What follows is the text of another file; behind other text its name comes first, on a line."""
        start = self._length
        if start:
            name = file.rsplit("/", 1)[-1]
            self._append(f"{name if name.startswith('附件') else f'附件：{name}'}\n")
        self._files.append(PartFile(file, sha256, place, Span(start, start)))

    def add_table(self, rows: Sequence[Sequence[CellDraft]], form: TableForm) -> Table:
        """Append a table; each inner list is a row of drafts in printed order."""
        cells = _laid_out(rows, self._length)
        span = self._append("\n".join(["\t".join([draft.text for draft in row]) for row in rows]))
        if rows:
            self._part_with("\n")
        table = Table(len(self._tables), cells, span, form)
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
        losses: tuple[str, ...] = (),
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
            losses=losses,
            parts=tuple(self._part_files()),
            recognised=tuple(self._recognised),
        )

    def _part_files(self) -> Iterator[PartFile]:
        for part, following in zip(self._files, [*self._files[1:], None], strict=False):
            end = self._length if following is None else following.span.start
            yield replace(part, span=Span(part.span.start, end))


class CellDraft(NamedTuple):
    """A cell before its place in the canonical text is known. `text` holds no tab or newline."""

    text: str
    column: int | None = None
    row_span: int = 1
    column_span: int = 1
    page: int | None = None
    box: Box | None = None
    confidence: float | None = None


def _laid_out(rows: Sequence[Sequence[CellDraft]], start: int) -> tuple[Cell, ...]:
    """The cells in their places; a character parts any two of them, and follows an empty row."""
    cells = []
    for number, row in enumerate(rows):
        for place, (text, column, row_span, column_span, page, box, sure) in enumerate(row):
            column = place if column is None else column
            cells.append(Cell(text, start, number, column, row_span, column_span, page, box, sure))
            start += len(text) + 1
        if not row:
            start += 1
    return tuple(cells)
