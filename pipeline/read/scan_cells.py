"""Ruled tables of a scanned page: the text of each cell, and how sure the recogniser is of it.

A cell without ink is blank and nobody is asked. Cells are read by their own crops: a
detector of text on whole pages misses single figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles

import numpy as np

from pipeline.legibility import is_legible
from pipeline.read.characters import close_up, collapse, join_lines
from pipeline.read.pdf_grid import Grid, GridCell, grids_of
from pipeline.read.pdf_parts import PageTable, is_table
from pipeline.read.scan_ink import SHORT_LINE, Extent, Ink, is_cut, lines_in, without_dirt
from pipeline.read.scan_ocr import Line
from pipeline.read.scan_picture import Picture
from pipeline.read.scan_rules import Ruling
from pipeline.read.scan_strips import Sheet, Strip, read_strips

# Stands for print that the recogniser can make nothing of.
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_IN_A_STRIP = 10
_UPRIGHT_LABEL = 3  # lines of one character each from which on a cell is set vertically
_ONE_CHARACTER = 1.4
_FILLED = 0.7
# No more can be said of print that runs into a ruling line: an 8 that lost its left side is a 3.
CUT_CONFIDENCE = 0.5


@dataclass(frozen=True)
class _CellInk:
    """A cell of one of the page's grids, its place, and the lines of ink in it."""

    grid: int
    cell: GridCell
    place: Extent
    lines: tuple[Extent, ...]
    is_cut: bool


def read_cells(picture: Picture, ruling: Ruling, ink: Ink, sheet: Sheet, page: int) -> list[PageTable]:
    """The tables of a page; a box around running text is none."""
    grids = grids_of(ruling.rules)
    cells = [
        _cell_ink(number, cell, _place(grid, cell, picture), ink, sheet.em)
        for number, grid in enumerate(grids)
        for cell in grid.cells
    ]
    clean = sheet.levels.copy()
    for cell in cells:
        without_dirt(clean, ink, cell.place, cell.lines)
    texts = _texts(cells, Sheet(clean, sheet.em))
    tables = []
    for number, grid in enumerate(grids):
        mine = [text for cell, text in zip(cells, texts, strict=True) if cell.grid == number]
        printed = tuple(text for text, _ in mine)
        if is_table(printed):
            sure = tuple(confidence for _, confidence in mine)
            tables.append(PageTable(page, grid, printed, sure, picture.turn))
    return tables


def _cell_ink(grid: int, cell: GridCell, place: Extent, ink: Ink, em: float) -> _CellInk:
    lines = tuple(lines_in(ink, place, em))
    return _CellInk(grid, cell, place, lines, any(is_cut(ink, line) for line in lines))


def em_of(picture: Picture, ruling: Ruling, ink: Ink) -> float:
    """The height of a character in the page's tables, in pixels; that of its ink where it has none."""
    places = [_place(grid, cell, picture) for grid in grids_of(ruling.rules) for cell in grid.cells]
    heights = [line.height for place in places for line in lines_in(ink, place, None)]
    if len(heights) < 4:
        heights += [ink.extents[each].height for each in np.flatnonzero(ink.is_stroke)]
    return quantiles(heights, n=4)[2] if len(heights) > 1 else picture.pixels(3.7)


def _place(grid: Grid, cell: GridCell, picture: Picture) -> Extent:
    left, right = grid.xs[cell.column], grid.xs[cell.column + cell.column_span]
    top, bottom = grid.ys[cell.row], grid.ys[cell.row + cell.row_span]
    x0, y0, x1, y1 = (round(each / picture.points) for each in (left, top, right, bottom))
    return Extent(x0, y0, x1, y1)


def _texts(cells: Sequence[_CellInk], sheet: Sheet) -> list[tuple[str, float]]:
    """Text and confidence of each cell."""
    strips = list(_strips(cells, sheet.em))
    read = _read(cells, strips, sheet)
    figures = {place for strip in strips if strip.are_figures for place in strip.lines}
    doubtful = [place for place, line in read.items() if place in figures and not is_legible(_sure(line))]
    again = _read(cells, [_Places((place,), are_figures=True) for place in doubtful], sheet)
    read.update((place, _agreed(read[place], line)) for place, line in again.items())
    return [_text(cell, [read[index, n] for n in range(len(cell.lines))]) for index, cell in enumerate(cells)]


def _agreed(first: Line, second: Line) -> Line:
    """Of two readings in different company, the surer one if they are the same; else the first."""
    if not first or (_printed(first) == _printed(second) and _sure(second) > _sure(first)):
        return second
    return first


def _printed(line: Line) -> str:
    return "".join(character.text for character in line)


def _sure(line: Line) -> float:
    return min((character.confidence for character in line), default=0.0)


@dataclass(frozen=True)
class _Places:
    """Lines that are read together, each by its cell and its number in the cell."""

    lines: tuple[tuple[int, int], ...]
    are_figures: bool = False


def _read(cells: Sequence[_CellInk], strips: Sequence[_Places], sheet: Sheet) -> dict[tuple[int, int], Line]:
    pieces = [
        Strip(tuple(cells[index].lines[number] for index, number in strip.lines), strip.are_figures)
        for strip in strips
    ]
    answers = read_strips(sheet, pieces)
    return {
        place: line
        for strip, answer in zip(strips, answers, strict=True)
        for place, line in zip(strip.lines, answer, strict=True)
    }


def _strips(cells: Sequence[_CellInk], em: float) -> Iterator[_Places]:
    """What is read together: short lines of a table, an upright label; a longer line alone."""
    short: dict[int, list[tuple[int, int]]] = {}
    for index, cell in enumerate(cells):
        if _is_upright(cell, em):
            yield _Places(tuple((index, number) for number in range(len(cell.lines))))
        elif len(cell.lines) == 1 and cell.lines[0].width <= SHORT_LINE * em:
            short.setdefault(cell.grid, []).append((index, 0))
        else:
            yield from (_Places(((index, number),)) for number in range(len(cell.lines)))
    for places in short.values():
        count = -(-len(places) // _IN_A_STRIP)
        size = -(-len(places) // count)
        for start in range(0, len(places), size):
            yield _Places(tuple(places[start : start + size]), are_figures=True)


def _is_upright(cell: _CellInk, em: float) -> bool:
    narrow = all(line.width <= _ONE_CHARACTER * em for line in cell.lines)
    return len(cell.lines) >= _UPRIGHT_LABEL and narrow and cell.place.height > 2 * cell.place.width


def _text(cell: _CellInk, lines: Sequence[Line]) -> tuple[str, float]:
    """The lines joined; figures on two lines are one only if the first line fills the cell."""
    text, sure, filled = "", 1.0, False
    for extent, line in zip(cell.lines, lines, strict=True):
        text = join_lines(text, _printed(line) or UNREADABLE, same_figure=filled)
        sure = min(sure, _sure(line))
        filled = extent.x1 - cell.place.x0 > _FILLED * cell.place.width
    return close_up(collapse(text)), min(sure, CUT_CONFIDENCE) if cell.is_cut else sure
