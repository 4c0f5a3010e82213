"""Tables of a PDF page that no lines rule: which lines of a page are one.

A line with figures that stand apart begins a table; lines above, between and below belong
to it while they look like cells. What the lines say is for pdf_unruled_table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.read import lines as line_kinds
from pipeline.read.pdf_lines import Glyph, glyph_lines
from pipeline.read.pdf_pieces import PrintedLine, printed_line
from pipeline.read.pdf_unruled_table import UnruledTable, table_of

_NEAR = 2.6
_MIN_ROWS = 3
_SENTENCES = 2
_CLAUSES = 0.34
_MIN_FIGURES_OF_ONE_ROW = 4
_WIDE = 0.62
_VERTICAL = 4  # characters on a line of a label that runs down a narrow column


@dataclass(frozen=True)
class UnruledReading:
    """The tables of a page, and the glyphs that stand in none."""

    tables: tuple[UnruledTable, ...]
    glyphs: tuple[Glyph, ...]


def unruled_tables(glyphs: Sequence[Glyph], page_width: float) -> UnruledReading:
    """Find the tables among glyphs that stand in no ruled table."""
    lines = [printed_line(line) for line in glyph_lines(glyphs)]
    regions = list(_regions(lines, page_width))
    inside = {position for region in regions for position in region}
    tables = tuple(table_of([lines[position] for position in region]) for region in regions)
    rest = (glyph for n, line in enumerate(lines) if n not in inside for glyph in line.glyphs)
    return UnruledReading(tables, tuple(rest))


def _regions(lines: Sequence[PrintedLine], page_width: float) -> Iterator[range]:
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


def _without_tail(lines: Sequence[PrintedLine], first: int, last: int) -> int:
    """The last line of a region without text below it that reaches under the figures: no rest of a label."""
    figures = [piece.x0 for line in lines[first : last + 1] if line.is_row for piece in line.pieces[-1:]]
    while not lines[last].is_row and len(lines[last].pieces) == 1 and lines[last].pieces[0].x1 > min(figures):
        last -= 1
    return last


def _is_table(lines: Sequence[PrintedLine], region: range) -> bool:
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


def _is_prose(lines: Sequence[PrintedLine]) -> bool:
    """Whether the lines are sentences, as of two columns of text beside each other."""
    texts = [piece.text for line in lines for piece in line.pieces]
    clauses = sum(any("，" in piece.text for piece in line.pieces) for line in lines)
    return sum("。" in text for text in texts) >= _SENTENCES or clauses > _CLAUSES * len(lines)


def _belongs(line: PrintedLine, neighbour: PrintedLine, page_width: float) -> bool:
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
