"""A picture of a page → what is printed on it: ruled tables, and lines of text around them.

levels → upright picture → ruling lines → grids → cells → recogniser → tables
                                        ↘ lines outside → detector → recogniser → lines
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.read.pdf_lines import PageLine
from pipeline.read.pdf_parts import Page, PageTable
from pipeline.read.scan_cells import em_of, read_cells
from pipeline.read.scan_ink import Extent, Ink, ink_of, without_rules
from pipeline.read.scan_lines import read_lines
from pipeline.read.scan_picture import Levels, Picture, upright
from pipeline.read.scan_rules import ruling_of
from pipeline.read.scan_strips import Sheet

# A page number between strokes, which a recogniser may take for 一.
_FOLIO = re.compile(r"[-－—–─_·~.一\s]*\d{1,4}[-－—–─_·~.一\s]*")
_EDGE = 0.1
# Millimetres: what is smaller may be dirt, what is larger a seal or a photograph.
_CHARACTER_MM = (1.5, 12.0)
_FEW_UNREAD, _SHARE_UNREAD = 12, 0.1


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """A page as read from its picture; `is_complete` unless print was seen that nothing was made of."""

    number: int
    page: Page
    is_complete: bool


def read_page(levels: Levels, points: float, number: int) -> ScannedPage:
    """Tables and lines of page `number`. `levels`: 255 paper, 0 black; `points` a pixel."""
    picture = upright(levels, points)
    height = levels.shape[0] * points
    if picture.ink == 0:
        return ScannedPage(number, Page(height, [], []), is_complete=True)
    ruling = ruling_of(picture)
    ink = ink_of(picture, ruling.mask)
    sheet = Sheet(without_rules(picture, ruling.mask), em_of(picture, ruling, ink))
    tables = read_cells(picture, ruling, ink, sheet, number)
    places = [_table_extent(table, points) for table in tables]
    lines = read_lines(picture, ink, places, sheet.levels, number)
    return ScannedPage(
        number,
        Page(height, [line for line in lines if not _is_folio(line, height)], tables),
        _is_complete(ink, places, lines, picture),
    )


def _table_extent(table: PageTable, points: float) -> Extent:
    """A table with its outer rules, in pixels."""
    xs, ys = table.grid.xs, table.grid.ys
    return _extent(xs[0], ys[0], xs[-1], ys[-1], points)


def _extent(x0: float, top: float, x1: float, bottom: float, points: float) -> Extent:
    x0, top, x1, bottom = (each / points for each in (x0, top, x1, bottom))
    return Extent(round(x0) - 2, round(top) - 2, round(x1) + 2, round(bottom) + 2)


def _is_folio(line: PageLine, height: float) -> bool:
    at_edge = line.top > (1 - _EDGE) * height or line.bottom < _EDGE * height
    return at_edge and bool(_FOLIO.fullmatch(line.text))


def _is_complete(ink: Ink, tables: Sequence[Extent], lines: Sequence[PageLine], picture: Picture) -> bool:
    """Whether nearly all characters outside of tables stand in lines that were read."""
    smallest, largest = (picture.pixels(mm) for mm in _CHARACTER_MM)
    places = [*tables, *(_extent(line.x0, line.top, line.x1, line.bottom, picture.points) for line in lines)]
    covered = {index for place in places for index in ink.inside(place)}
    characters = [
        index
        for index, extent in enumerate(ink.extents)
        if smallest <= max(extent.width, extent.height) <= largest
    ]
    unread = sum(index not in covered for index in characters)
    return unread <= max(_FEW_UNREAD, _SHARE_UNREAD * len(characters))
