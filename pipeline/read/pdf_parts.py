"""Pages → parts: paragraphs over page ends, tables put together again over page breaks.

What is printed on a page comes from its text layer (pdf) or was recognised (scan).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.document import Box, CellDraft
from pipeline.read.lines import has_sentence
from pipeline.read.metadata import pairs_in_line
from pipeline.read.parts import Part, TablePart, TextPart
from pipeline.read.pdf_grid import Grid, GridCell, nearest, snapped
from pipeline.read.pdf_lines import PageLine, measure, paragraphs, running_lines
from pipeline.read.turn import Turn

# Two pieces of a table may differ by this much in the place of a column edge, in points.
_SAME_EDGE = 6.0
# A scanner takes in one sheet a little more to the left than the next.
_SCANNER_SHIFT = 30.0
_HEAD_PARTS = 8
_SHORT_BOX = 40


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table, or the piece of one that stands on a page.

    `confidences` of its texts, where they were recognised; `turn`, where the page was scanned;
    `figure_columns`, the last columns, where no lines rule it.
    """

    page: int
    grid: Grid
    texts: tuple[str, ...]
    confidences: tuple[float | None, ...] = ()
    turn: Turn | None = None
    figure_columns: int | None = None

    @property
    def top(self) -> float:
        """Upper edge in points."""
        return self.grid.ys[0]


@dataclass(frozen=True, slots=True)
class Page:
    """What is printed on a page: lines outside of tables, and tables."""

    height: float
    lines: list[PageLine]
    tables: list[PageTable]


def is_table(texts: Sequence[str]) -> bool:
    """Whether the texts of ruled cells are a table; a box around mere text is none."""
    if not any(texts):
        return False
    return len(texts) > 1 or (len(texts[0]) <= _SHORT_BOX and not has_sentence(texts[0]))


def parts_of(pages: Sequence[Page]) -> list[Part]:
    """Text and tables of all pages in reading order."""
    return _with_metadata(_in_reading_order(pages))


def _in_reading_order(pages: Sequence[Page]) -> list[Part]:
    running = running_lines([page.lines for page in pages], [page.height for page in pages])
    lines = [line for page in pages for line in page.lines if line not in running]
    area = measure(lines) if lines else None
    parts: list[Part] = []
    text: list[PageLine] = []
    pieces: list[PageTable] = []
    for item in _in_order(pages, running):
        if isinstance(item, PageLine):
            _close_table(parts, pieces)
            text.append(item)
            continue
        if text and area is not None:
            parts.extend(paragraphs(text, area))
            text.clear()
        if pieces and not _same_table(pieces[-1], item):
            _close_table(parts, pieces)
        pieces.append(item)
    _close_table(parts, pieces)
    if text and area is not None:
        parts.extend(paragraphs(text, area))
    return parts


def _with_metadata(parts: Sequence[Part]) -> list[Part]:
    """The parts with labelled values among the first lines marked as metadata."""
    marked: list[Part] = []
    for position, part in enumerate(parts):
        if not isinstance(part, TextPart) or part.runs or position >= _HEAD_PARTS:
            marked.append(part)
            continue
        pairs = pairs_in_line(part.text)
        marked.extend([part] if pairs is None else [replace(pair, page=part.page) for pair in pairs])
    return marked


def _in_order(pages: Sequence[Page], running: set[PageLine]) -> Iterator[PageLine | PageTable]:
    for page in pages:
        items: list[PageLine | PageTable] = [line for line in page.lines if line not in running]
        yield from sorted([*items, *page.tables], key=lambda item: item.top)


def _close_table(parts: list[Part], pieces: list[PageTable]) -> None:
    if pieces:
        parts.append(_joined(pieces))
        pieces.clear()


def _same_table(first: PageTable, second: PageTable) -> bool:
    """Pieces of one table: on following pages, with the same outline and column edges."""
    if second.page != first.page + 1 or first.figure_columns != second.figure_columns:
        return False
    if first.figure_columns is not None:
        return True
    ours = [x - first.grid.xs[0] for x in first.grid.xs]
    theirs = [x - second.grid.xs[0] for x in second.grid.xs]
    shift = _SAME_EDGE if first.turn is None and second.turn is None else _SCANNER_SHIFT
    if abs(first.grid.xs[0] - second.grid.xs[0]) > shift or abs(ours[-1] - theirs[-1]) > _SAME_EDGE:
        return False
    few, many = sorted((ours, theirs), key=len)
    return all(abs(x - many[nearest(many, x)]) <= _SAME_EDGE for x in few)


def _joined(pieces: Sequence[PageTable]) -> TablePart:
    """One table of all pieces, columns counted over the edges of all of them."""
    if pieces[0].figure_columns is not None:
        return _joined_from_right(pieces)
    edges = snapped((x - piece.grid.xs[0] for piece in pieces for x in piece.grid.xs), _SAME_EDGE / 2)
    rows: list[list[CellDraft]] = []
    for piece in pieces:
        left = piece.grid.xs[0]
        first_row = len(rows)
        rows.extend([] for _ in range(len(piece.grid.ys) - 1))
        confidences = piece.confidences or (None,) * len(piece.texts)
        for cell, text, confidence in zip(piece.grid.cells, piece.texts, confidences, strict=True):
            start = nearest(edges, piece.grid.xs[cell.column] - left)
            end = nearest(edges, piece.grid.xs[cell.column + cell.column_span] - left)
            box = _box(piece, cell)
            spans = (cell.row_span, max(1, end - start))
            draft = CellDraft(text, start, *spans, piece.page, box, confidence)
            rows[first_row + cell.row].append(draft)
    return TablePart(rows, "grid")


def _joined_from_right(pieces: Sequence[PageTable]) -> TablePart:
    """One table of pieces without rules: the same columns of figures, behind columns of labels."""
    width = max(len(piece.grid.xs) for piece in pieces)
    rows: list[list[CellDraft]] = []
    for piece in pieces:
        first_row, moved = len(rows), width - len(piece.grid.xs)
        rows.extend([] for _ in range(len(piece.grid.ys) - 1))
        for cell, text in zip(piece.grid.cells, piece.texts, strict=True):
            draft = CellDraft(text, cell.column + moved, page=piece.page, box=_box(piece, cell))
            rows[first_row + cell.row].append(draft)
    return TablePart(rows, "grid")


def _box(piece: PageTable, cell: GridCell) -> Box:
    grid = piece.grid
    box = Box(
        grid.xs[cell.column],
        grid.ys[cell.row],
        grid.xs[cell.column + cell.column_span],
        grid.ys[cell.row + cell.row_span],
    )
    return box if piece.turn is None else piece.turn.back(box)
