"""Lines of a PDF page in pieces that stand apart: the cells of a table that no lines rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.read import lines as line_kinds
from pipeline.read.characters import close_up
from pipeline.read.pdf_lines import Glyph, line_text

# In widths of a character: white space between cells.
CELL_GAP = 0.9


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
class PrintedLine:
    """A line of the page with its pieces from left to right."""

    glyphs: tuple[Glyph, ...]
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> float:
        """Type size in points."""
        return self.glyphs[0].size

    @property
    def top(self) -> float:
        """Upper edge in points."""
        return min(piece.top for piece in self.pieces)

    @property
    def bottom(self) -> float:
        """Lower edge in points."""
        return max(piece.bottom for piece in self.pieces)

    @property
    def figure_count(self) -> int:
        """Pieces that are figures."""
        return sum(piece.is_figure for piece in self.pieces)

    @property
    def is_row(self) -> bool:
        """Figures that stand apart from a label or from each other."""
        return len(self.pieces) >= 2 and self.figure_count >= 1 and self.pieces[-1].is_figure


def printed_line(line: Sequence[Glyph]) -> PrintedLine:
    """The line, parted where white space is wider than between words."""
    runs: list[list[Glyph]] = [[line[0]]]
    for before, glyph in pairwise(line):
        if glyph.x0 - before.x1 > CELL_GAP * glyph.size:
            runs.append([])
        runs[-1].append(glyph)
    return PrintedLine(tuple(line), tuple(piece_of(run) for run in runs))


def piece_of(run: Sequence[Glyph]) -> Piece:
    """Glyphs of a line as one piece."""
    tops, bottoms = (glyph.top for glyph in run), (glyph.bottom for glyph in run)
    return Piece(close_up(line_text(run)), run[0].x0, run[-1].x1, min(tops), max(bottoms))
