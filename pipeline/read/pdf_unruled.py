"""Tables of a PDF page that no lines rule: columns by the figures, rows by their height.

A line with figures that stand apart begins a table; lines above, between and below belong
to it while they look like cells. Figures that stand under each other are a column, figures
at one height a row, and the lines of a label go to the row whose figures they stand beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.read import lines as line_kinds
from pipeline.read.characters import close_up, join_lines
from pipeline.read.pdf_grid import Grid, GridCell
from pipeline.read.pdf_lines import Glyph, glyph_lines, line_text

# In widths of a character: white space between cells, and between a cell and the next row's.
_CELL_GAP = 0.9
_NARROW_GAP = 0.45
_SAME_ROW = 0.35
_NEAR = 2.6
_UNIT = re.compile(r"[条件次篇人个项份元]|人次|万元|条次|[—–-]+")
_MIN_ROWS = 3
_SENTENCES = 2
_CLAUSES = 0.34
_MIN_FIGURES_OF_ONE_ROW = 4
_WIDE = 0.62
_WIDEST_LEADING = 0.75
_STAGGERED = 2.0
_VERTICAL = 4  # characters on a line of a label that runs down a narrow column


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters that stands apart from others on its line."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        """Height of its centre."""
        return (self.top + self.bottom) / 2

    @property
    def centre(self) -> float:
        """Its middle across the page."""
        return (self.x0 + self.x1) / 2

    @property
    def is_figure(self) -> bool:
        """Whether it is a figure or a stroke for none."""
        return line_kinds.is_figure(self.text)


@dataclass(frozen=True, slots=True)
class _PrintedLine:
    glyphs: tuple[Glyph, ...]
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> float:
        return self.glyphs[0].size

    @property
    def top(self) -> float:
        return min(piece.top for piece in self.pieces)

    @property
    def bottom(self) -> float:
        return max(piece.bottom for piece in self.pieces)

    @property
    def figure_count(self) -> int:
        return sum(piece.is_figure for piece in self.pieces)

    @property
    def is_row(self) -> bool:
        """Figures that stand apart from a label or from each other."""
        return len(self.pieces) >= 2 and self.figure_count >= 1 and self.pieces[-1].is_figure


@dataclass(frozen=True)
class UnruledTable:
    """A table as a grid, with the text of each of its cells; `figure_columns` are the last columns."""

    grid: Grid
    texts: tuple[str, ...]
    figure_columns: int


@dataclass(frozen=True)
class UnruledReading:
    """The tables of a page, and the glyphs that stand in none."""

    tables: tuple[UnruledTable, ...]
    glyphs: tuple[Glyph, ...]


def unruled_tables(glyphs: Sequence[Glyph], page_width: float) -> UnruledReading:
    """Find the tables among glyphs that stand in no ruled table."""
    lines = [_printed_line(line) for line in glyph_lines(glyphs)]
    regions = list(_regions(lines, page_width))
    inside = {position for region in regions for position in region}
    tables = tuple(_table([lines[position] for position in region]) for region in regions)
    rest = (glyph for n, line in enumerate(lines) if n not in inside for glyph in line.glyphs)
    return UnruledReading(tables, tuple(rest))


def _printed_line(line: Sequence[Glyph]) -> _PrintedLine:
    runs: list[list[Glyph]] = [[line[0]]]
    for before, glyph in pairwise(line):
        if glyph.x0 - before.x1 > _CELL_GAP * glyph.size:
            runs.append([])
        runs[-1].append(glyph)
    return _PrintedLine(tuple(line), tuple(_piece(run) for run in runs))


def _piece(run: Sequence[Glyph]) -> Piece:
    tops, bottoms = (glyph.top for glyph in run), (glyph.bottom for glyph in run)
    return Piece(close_up(line_text(run)), run[0].x0, run[-1].x1, min(tops), max(bottoms))


def _regions(lines: Sequence[_PrintedLine], page_width: float) -> Iterator[range]:
    """Runs of lines that are a table, by position."""
    position = 0
    while position < len(lines):
        if not lines[position].is_row:
            position += 1
            continue
        first, last = position, position
        while first > 0 and _belongs(lines[first - 1], lines[first], page_width):
            first -= 1
        while last + 1 < len(lines) and _belongs(lines[last + 1], lines[last], page_width):
            last += 1
        region = range(first, _without_tail(lines, first, last) + 1)
        if _is_table(lines, region):
            yield region
        position = last + 1


def _without_tail(lines: Sequence[_PrintedLine], first: int, last: int) -> int:
    """The last line of a region without text below it that reaches under the figures: no rest of a label."""
    figures = [piece.x0 for line in lines[first : last + 1] if line.is_row for piece in line.pieces[-1:]]
    while not lines[last].is_row and len(lines[last].pieces) == 1 and lines[last].pieces[0].x1 > min(figures):
        last -= 1
    return last


def _is_table(lines: Sequence[_PrintedLine], region: range) -> bool:
    """Enough rows, or figures in a row; at an edge of the page a table may just begin or end."""
    if _is_prose([lines[n] for n in region]):
        return False
    rows = [lines[n] for n in region if lines[n].is_row]
    is_cut = region.start == 0 or all(
        line_kinds.is_page_number(piece.text) for line in lines[region.stop :] for piece in line.pieces
    )
    fewest = 2 if is_cut else _MIN_ROWS
    if is_cut and sum(len(lines[n].pieces) > 1 for n in region) >= fewest:
        return True
    return len(rows) >= fewest or max(row.figure_count for row in rows) >= _MIN_FIGURES_OF_ONE_ROW


def _is_prose(lines: Sequence[_PrintedLine]) -> bool:
    """Whether the lines are sentences, as of two columns of text beside each other."""
    texts = [piece.text for line in lines for piece in line.pieces]
    clauses = sum(any("，" in piece.text for piece in line.pieces) for line in lines)
    return sum("。" in text for text in texts) >= _SENTENCES or clauses > _CLAUSES * len(lines)


def _belongs(line: _PrintedLine, neighbour: _PrintedLine, page_width: float) -> bool:
    """Whether a line looks like cells of the table in which its neighbour stands."""
    distance = max(line.top - neighbour.bottom, neighbour.top - line.bottom)
    if distance > _NEAR * neighbour.size or abs(line.size - neighbour.size) > 0.15 * neighbour.size:
        return False
    if len(line.pieces) > 1:
        return True
    text = line.pieces[0].text
    is_wide = line.pieces[0].x1 - line.pieces[0].x0 > _WIDE * page_width
    return not (
        is_wide or line_kinds.has_sentence(text) or (line_kinds.is_chapter(text) and len(text) > _VERTICAL)
    )


def _table(lines: Sequence[_PrintedLine]) -> UnruledTable:
    size = lines[0].size
    rows = [line for line in lines if line.is_row]
    columns = _figure_columns(rows, size)
    labels_end = columns[0][0] - _SAME_ROW * size
    pieces = [piece for line in lines for piece in _split_again(line, labels_end)]
    labels = [piece for piece in pieces if piece.centre <= labels_end]
    figures = [piece for piece in pieces if piece.centre > labels_end and piece.is_figure]
    headings = [piece for piece in pieces if piece.centre > labels_end and not piece.is_figure]
    over = _blocks(headings, (), size)
    columns = _with_blank_columns(columns, over)
    blocks = [*figures, *over]
    # A unit stands in every row, also where the figure is blank.
    heights = _row_heights([*blocks, *(piece for piece in labels if _UNIT.fullmatch(piece.text))], size)
    names = _blocks(labels, heights, size)
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
    return step <= _STAGGERED * size and not any(_overlap(one, two) for one in above for two in below)


def _split_again(line: _PrintedLine, labels_end: float) -> Iterator[Piece]:
    """Pieces of a line, those among the figures parted at smaller gaps: headings of narrow columns."""
    run = [line.glyphs[0]]
    for before, glyph in pairwise(line.glyphs):
        gap = _CELL_GAP if before.x1 < labels_end else _NARROW_GAP
        if glyph.x0 - before.x1 > gap * glyph.size:
            yield _piece(run)
            run = []
        run.append(glyph)
    yield _piece(run)


def _figure_columns(rows: Sequence[_PrintedLine], size: float) -> list[tuple[float, float]]:
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
        if columns and piece.x0 <= columns[-1][1] + _SAME_ROW * size:
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
        if not heights or piece.middle - heights[-1] > _SAME_ROW * size:
            heights.append(piece.middle)
    return heights


def _nearest(heights: Sequence[float], height: float) -> int:
    return min(range(len(heights)), key=lambda row: abs(heights[row] - height))


def _blocks(labels: Sequence[Piece], heights: Sequence[float], size: float) -> list[Piece]:
    """The lines of a label as one piece: near to each other, and not each beside figures of its own."""
    ordered = sorted(labels, key=lambda piece: (piece.middle, piece.x0))
    leading = min(_leading(ordered), _WIDEST_LEADING * size)
    blocks: list[list[Piece]] = []
    for piece in ordered:
        above = next((block for block in reversed(blocks) if _goes_on(block[-1], piece, leading)), None)
        own_row = _is_beside(piece, heights, size)
        if above is None or (own_row and any(_is_beside(part, heights, size) for part in above)):
            blocks.append([piece])
        else:
            above.append(piece)
    return [_joined(block) for block in blocks]


def _leading(pieces: Sequence[Piece]) -> float:
    """The least distance between lines under each other, with some play."""
    gaps = [
        second.top - first.bottom
        for first in pieces
        for second in pieces
        if second.top >= first.bottom - 1 and _overlap(first, second)
    ]
    return 1.0 + 1.3 * max(0.0, min(gaps, default=0.0))


def _goes_on(above: Piece, below: Piece, leading: float) -> bool:
    return _overlap(above, below) and below.middle - above.middle > 0 and below.top - above.bottom <= leading


def _overlap(one: Piece, other: Piece) -> bool:
    """Whether the narrower of the two stands over or under the other."""
    shared = min(one.x1, other.x1) - max(one.x0, other.x0)
    return shared >= 0.5 * min(one.x1 - one.x0, other.x1 - other.x0)


def _is_beside(piece: Piece, heights: Sequence[float], size: float) -> bool:
    return any(abs(height - piece.middle) <= _SAME_ROW * size for height in heights)


def _joined(block: Sequence[Piece]) -> Piece:
    text = ""
    for piece in block:
        text = join_lines(text, piece.text)
    return Piece(
        close_up(text),
        min(piece.x0 for piece in block),
        max(piece.x1 for piece in block),
        block[0].top,
        block[-1].bottom,
    )


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
