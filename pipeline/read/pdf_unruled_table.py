"""Lines of a table without rules → its grid: columns by the figures, rows by their height."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.read.characters import join_lines
from pipeline.read.pdf_blocks import SAME_ROW, blocks_of, overlap
from pipeline.read.pdf_grid import Grid, GridCell
from pipeline.read.pdf_pieces import CELL_GAP, Piece, PrintedLine, piece_of

# In widths of a character: white space between headings of narrow columns.
_NARROW_GAP = 0.45
_STAGGERED = 2.0
_UNIT = re.compile(r"[条件次篇人个项份元]|人次|万元|条次|[—–-]+")


@dataclass(frozen=True)
class UnruledTable:
    """A table as a grid, with the text of each of its cells; `figure_columns` are the last columns."""

    grid: Grid
    texts: tuple[str, ...]
    figure_columns: int


def table_of(lines: Sequence[PrintedLine]) -> UnruledTable:
    """The table that the lines form."""
    size = lines[0].size
    rows = [line for line in lines if line.is_row]
    columns = _figure_columns(rows, size)
    labels_end = columns[0][0] - SAME_ROW * size
    pieces = [piece for line in lines for piece in _split_again(line, labels_end)]
    labels = [piece for piece in pieces if piece.centre <= labels_end]
    figures = [piece for piece in pieces if piece.centre > labels_end and piece.is_figure]
    headings = [piece for piece in pieces if piece.centre > labels_end and not piece.is_figure]
    over = blocks_of(headings, (), size)
    columns = _with_blank_columns(columns, over)
    blocks = [*figures, *over]
    # A unit stands in every row, also where the figure is blank.
    heights = _row_heights([*blocks, *(piece for piece in labels if _UNIT.fullmatch(piece.text))], size)
    names = blocks_of(labels, heights, size)
    blocks += names
    # A label beside no figure is a row of its own: its cells are blank.
    lonely = [name for name in names if not any(name.top <= height <= name.bottom for height in heights)]
    heights = sorted([*heights, *(name.middle for name in lonely)])
    by_row: list[list[Piece]] = [[] for _ in heights]
    for piece in blocks:
        by_row[_nearest(heights, piece.middle)].append(piece)
    level = _level_headings([row for row in by_row if row], labels_end, size)
    return _as_grid(level, columns, labels_end)


def _level_headings(rows: Sequence[list[Piece]], labels_end: float, size: float) -> list[list[Piece]]:
    """Headings that stand in the middle of two rows of headings, put beside those of the upper one."""
    level: list[list[Piece]] = []
    for row in rows:
        above = level[-1] if level else []
        are_headings = all(piece.centre > labels_end for piece in row) and any(
            piece.centre > labels_end for piece in above
        )
        is_plain = not any(piece.is_figure for piece in (*above, *row))
        if are_headings and is_plain and _are_beside(above, row, size):
            above.extend(row)
        else:
            level.append(row)
    return level


def _are_beside(above: Sequence[Piece], below: Sequence[Piece], size: float) -> bool:
    step = min(piece.middle for piece in below) - min(piece.middle for piece in above)
    return step <= _STAGGERED * size and not any(overlap(one, two) for one in above for two in below)


def _split_again(line: PrintedLine, labels_end: float) -> Iterator[Piece]:
    """Pieces of a line, those among the figures parted at smaller gaps: headings of narrow columns."""
    run = [line.glyphs[0]]
    for before, glyph in pairwise(line.glyphs):
        gap = CELL_GAP if before.x1 < labels_end else _NARROW_GAP
        if glyph.x0 - before.x1 > gap * glyph.size:
            yield piece_of(run)
            run = []
        run.append(glyph)
    yield piece_of(run)


def _figure_columns(rows: Sequence[PrintedLine], size: float) -> list[tuple[float, float]]:
    """The columns of figures: not numbers in front of all labels, nor strokes in a column of units."""
    pieces = [piece for row in rows for piece in row.pieces]
    columns = _columns([piece for piece in pieces if piece.is_figure], size)
    labels_start = min((piece.x0 for piece in pieces if not piece.is_figure), default=0.0)

    def holds_figures(column: tuple[float, float]) -> bool:
        inside = [piece for piece in pieces if column[0] <= piece.centre <= column[1]]
        figures = [piece for piece in inside if piece.is_figure]
        others = len(inside) - len(figures)
        return others == 0 or (others <= len(figures) and any(piece.text[0].isalnum() for piece in figures))

    return [each for each in columns if each[1] > labels_start and holds_figures(each)] or columns


def _columns(figures: Sequence[Piece], size: float) -> list[tuple[float, float]]:
    """Left and right edge of each column: figures that overlap across the page stand in one."""
    columns: list[tuple[float, float]] = []
    for piece in sorted(figures, key=lambda piece: piece.x0):
        if columns and piece.x0 <= columns[-1][1] + SAME_ROW * size:
            columns[-1] = (columns[-1][0], max(columns[-1][1], piece.x1))
        else:
            columns.append((piece.x0, piece.x1))
    return columns


def _with_blank_columns(
    columns: Sequence[tuple[float, float]], headings: Sequence[Piece]
) -> list[tuple[float, float]]:
    """The columns with those that have a heading and no figure."""
    blank = [
        (piece.x0, piece.x1)
        for piece in headings
        if not any(piece.x0 < right and left < piece.x1 for left, right in columns)
    ]
    return sorted({*columns, *blank})


def _row_heights(pieces: Sequence[Piece], size: float) -> list[float]:
    """The height of each row: that of its figures, or of its headings."""
    heights: list[float] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        if not heights or piece.middle - heights[-1] > SAME_ROW * size:
            heights.append(piece.middle)
    return heights


def _nearest(heights: Sequence[float], height: float) -> int:
    return min(range(len(heights)), key=lambda row: abs(heights[row] - height))


def _as_grid(
    rows: Sequence[Sequence[Piece]], columns: Sequence[tuple[float, float]], labels_end: float
) -> UnruledTable:
    """Labels in the columns on the left in their order, other pieces under the nearest figures."""
    label_count = max((sum(piece.centre <= labels_end for piece in row) for row in rows), default=0)
    width = max(1, label_count) + len(columns)
    cells: list[GridCell] = []
    texts: list[str] = []
    place: dict[tuple[int, int], int] = {}
    for number, row in enumerate(rows):
        for column, text in enumerate(_row_texts(row, columns, labels_end, width)):
            place[number, column] = len(cells)
            cells.append(GridCell(number, column, 1, 1))
            texts.append(text)
    left = min(piece.x0 for row in rows for piece in row)
    xs = _edges(left, columns, width)
    ys = _row_edges(rows)
    return UnruledTable(Grid(xs, ys, tuple(cells), place), tuple(texts), len(columns))


def _row_texts(
    row: Sequence[Piece], columns: Sequence[tuple[float, float]], labels_end: float, width: int
) -> list[str]:
    texts = [""] * width
    label, first = 0, width - len(columns)
    for piece in sorted(row, key=lambda piece: piece.x0):
        if piece.centre <= labels_end:
            texts[label] = piece.text
            label += 1
            continue
        column = first + min(range(len(columns)), key=lambda n: abs(sum(columns[n]) / 2 - piece.centre))
        free = next((n for n in range(column, width) if not texts[n]), column)
        texts[free] = join_lines(texts[free], piece.text)
    return texts


def _edges(left: float, columns: Sequence[tuple[float, float]], width: int) -> tuple[float, ...]:
    """Borders half way between columns; the label columns share what is on their left."""
    borders = [(first[1] + second[0]) / 2 for first, second in pairwise(columns)]
    first_figure = columns[0][0] - 2
    labels = width - len(columns)
    on_left = [left + (first_figure - left) * n / labels for n in range(labels)]
    return (*on_left, first_figure, *borders, columns[-1][1] + 2)


def _row_edges(rows: Sequence[Sequence[Piece]]) -> tuple[float, ...]:
    tops = [min(piece.top for piece in row) for row in rows]
    edges = [tops[0] - 1]
    for top in tops[1:]:
        edges.append(max(top - 1, edges[-1] + 0.5))
    bottom = max(piece.bottom for piece in rows[-1])
    return (*edges, max(bottom + 1, edges[-1] + 0.5))
