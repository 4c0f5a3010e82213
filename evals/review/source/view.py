"""A document as blocks for the source pane, cut into segments wherever a mark begins or ends.

A segment knows where its text begins in the canonical text (code points) and which marks cover
it, so that a template needs no arithmetic. Where only the canonical text is at hand, lines with
tabs that follow each other are a table.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Literal

from pipeline.document import Block, Document, Span, Table

if TYPE_CHECKING:
    from evals.review.source.reading_child import Notice
    from evals.review.source.reading_requests import PageSize

BlockForm = Literal["heading", "paragraph", "metadata", "part", "table"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters of the canonical text to be marked; `key` is what a click on them tells.

    `kind` becomes a class of the marked text: what sort of evidence it is. A mark without
    characters (`start` = `end`) stands for an empty cell.
    """

    key: str
    start: int
    end: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """Text that the same marks cover throughout; no keys for text between marks.

    A mark without characters is a segment without text.
    """

    text: str
    start: int
    keys: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """Where it ends in the canonical text."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class CellView:
    """A table cell. `is_filler` stands for a place that no cell of the row takes up."""

    segments: tuple[Segment, ...]
    start: int
    row_span: int = 1
    column_span: int = 1
    is_filler: bool = False


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block: `segments` of a line, or `rows` of a table. `page` where its page is another than before.

    A block of the form `part` is the line with the name of an attached file; what follows is its text.
    """

    form: BlockForm
    start: int
    end: int
    segments: tuple[Segment, ...] = ()
    rows: tuple[tuple[CellView, ...], ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class SourceView:
    """What the source pane shows. `pages` are those that can be shown as pictures.

    `unplaced` are the keys of marks that lie in no text that is shown.
    """

    blocks: tuple[BlockView, ...]
    pages: tuple[PageSize, ...] = ()
    notices: tuple[Notice, ...] = ()
    parts: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()


def source_view(
    source: Document | str,
    marks: Sequence[Mark],
    *,
    notices: tuple[Notice, ...] = (),
    pages: tuple[PageSize, ...] = (),
) -> SourceView:
    """The blocks of a document, or of its canonical text alone, with `marks` in them."""
    if isinstance(source, Document):
        text, blocks, parts, losses = (
            source.text,
            _blocks_of(source),
            tuple(part.file for part in source.parts),
            source.losses,
        )
    else:
        text, blocks, parts, losses = source, _blocks_of_text(source), (), ()
    cutter = _Cutter(text, marks)
    shown = (_view(block, cutter) for block in _with_new_pages(blocks))
    views = tuple(view for view in shown if view.segments or view.rows)
    unplaced = tuple(dict.fromkeys(mark.key for mark in marks if mark.key not in cutter.placed))
    return SourceView(views, pages, notices, parts, losses, unplaced)


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells of a row; a place that no cell takes up has none."""

    cells: tuple[tuple[Span, int, int, bool], ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """A block before it is cut."""

    form: BlockForm
    span: Span
    rows: tuple[_Row, ...] = ()
    page: int | None = None


def _view(block: _Block, cutter: _Cutter) -> BlockView:
    if block.form != "table":
        return BlockView(block.form, *block.span, segments=cutter.cut(block.span), page=block.page)
    rows = tuple(
        tuple(
            CellView(() if filler else cutter.cut(span), span.start, height, width, filler)
            for span, height, width, filler in row.cells
        )
        for row in block.rows
    )
    return BlockView("table", *block.span, rows=rows, page=block.page)


def _with_new_pages(blocks: Iterator[_Block]) -> Iterator[_Block]:
    """The page stands where it begins, not at every block of it."""
    before: int | None = None
    for block in blocks:
        new = None if block.page == before else block.page
        before = block.page if block.page is not None else before
        yield _Block(block.form, block.span, block.rows, new)


class _Cutter:
    """Cuts spans of the text at the ends of marks."""

    def __init__(self, text: str, marks: Sequence[Mark]) -> None:
        self.placed: set[str] = set()
        self._text = text
        self._marks = sorted(
            (mark for mark in marks if 0 <= mark.start <= mark.end <= len(text)),
            key=lambda mark: (mark.start, -mark.end),
        )
        self._starts = [mark.start for mark in self._marks]
        self._longest = max((mark.end - mark.start for mark in self._marks), default=0)

    def cut(self, span: Span) -> tuple[Segment, ...]:
        """The segments of a span; none where it has neither text nor a mark."""
        marks = self._within(span)
        self.placed.update(mark.key for mark in marks)
        edges = {span.start, span.end}
        for mark in marks:
            edges |= {max(mark.start, span.start), min(mark.end, span.end)}
        points = {mark.start for mark in marks if mark.start == mark.end}
        ends = sorted([*edges, *points])  # twice: a segment without text
        return tuple(self._segment(start, end, marks) for start, end in pairwise(ends))

    def _within(self, span: Span) -> list[Mark]:
        first = bisect_left(self._starts, span.start - self._longest)
        last = bisect_right(self._starts, span.end)
        return [mark for mark in self._marks[first:last] if _touches(mark, span)]

    def _segment(self, start: int, end: int, marks: Sequence[Mark]) -> Segment:
        is_point = start == end
        over = [
            mark
            for mark in marks
            if mark.start <= start and end <= mark.end and (mark.start == mark.end) == is_point
        ]
        return Segment(
            self._text[start:end],
            start,
            tuple(dict.fromkeys(mark.key for mark in over)),
            tuple(dict.fromkeys(mark.kind for mark in over if mark.kind)),
        )


def _touches(mark: Mark, span: Span) -> bool:
    if mark.start == mark.end:
        return span.start <= mark.start <= span.end
    return mark.end > span.start and mark.start < span.end


def _blocks_of(document: Document) -> Iterator[_Block]:
    """The document's blocks, and the lines between them: names of attached files."""
    metadata = {item.span.end for item in document.metadata}
    end = 0
    for block in document.blocks:
        yield from _lines_between(document.text, end, block.span.start)
        end = max(end, block.span.end)
        if block.table is None:
            is_metadata = block.kind == "paragraph" and block.span.end in metadata
            form: BlockForm = "metadata" if is_metadata else block.kind
            yield _Block(form, block.span, page=block.page)
        else:
            yield _table(document.tables[block.table], block)
    yield from _lines_between(document.text, end, len(document.text))


def _lines_between(text: str, start: int, end: int) -> Iterator[_Block]:
    for span in _lines(text, start, end):
        yield _Block("part", span)


def _table(table: Table, block: Block) -> _Block:
    """Rows with the spans of cells as browsers lay them out; only a grid knows its columns."""
    if table.form == "flat":
        rows = tuple(_Row(tuple((cell.span, 1, 1, False) for cell in row)) for row in table.rows)
    else:
        rows = tuple(_grid(table))
    return _Block("table", block.span, rows, block.page)


def _grid(table: Table) -> Iterator[_Row]:
    """Each row with fillers for places that neither its own cells nor those from above take up."""
    height = len(table.rows)
    # For each column, the row in which the cell from above has ended.
    free_from = [0] * max((cell.column + 1 for cell in table.cells), default=0)
    for number, row in enumerate(table.rows):
        cells: list[tuple[Span, int, int, bool]] = []
        column = 0
        for cell, following in zip_longest(row, row[1:]):
            left_out = sum(free_from[place] <= number for place in range(column, cell.column))
            cells += [(Span(cell.start, cell.start), 1, 1, True)] * left_out
            # Not beyond the table and the next cell: a page may claim thousands of rows and columns.
            rows = max(1, min(cell.row_span, height - number))
            end = len(free_from) if following is None else following.column
            columns = max(1, min(cell.column_span, end - cell.column))
            cells.append((cell.span, rows, columns, False))
            column = cell.column + columns
            free_from[cell.column : column] = [number + rows] * len(free_from[cell.column : column])
        yield _Row(tuple(cells))


def _blocks_of_text(text: str) -> Iterator[_Block]:
    """Lines of canonical text; those with tabs that follow each other are a table.

    An empty line may be a cell of a table that was printed one cell a line.
    """
    rows: list[Span] = []
    for span in _lines(text, 0, len(text), is_whole=True):
        if "\t" in text[span.start : span.end]:
            rows.append(span)
            continue
        if rows:
            yield _flat(text, rows)
            rows = []
        yield _Block("paragraph", span)
    if rows:
        yield _flat(text, rows)


def _flat(text: str, lines: Sequence[Span]) -> _Block:
    rows = []
    for line in lines:
        cells, start = [], line.start
        for part in text[line.start : line.end].split("\t"):
            cells.append((Span(start, start + len(part)), 1, 1, False))
            start += len(part) + 1
        rows.append(_Row(tuple(cells)))
    return _Block("table", Span(lines[0].start, lines[-1].end), tuple(rows))


def _lines(text: str, start: int, end: int, *, is_whole: bool = False) -> Iterator[Span]:
    """The lines between two places, only those with print on them unless `is_whole`."""
    while start < end:
        found = text.find("\n", start, end)
        stop = end if found < 0 else found
        if is_whole or text[start:stop].strip():
            yield Span(start, stop)
        start = stop + 1
