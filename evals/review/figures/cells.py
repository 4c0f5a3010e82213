"""Where an empty place of a form is printed, by what was read around it.

In canonical text a row of a table is a line and its cells are parted by tabs; some files have a cell a line.
A place of a row that was read in part is as many cells from its neighbours as columns. A row of which nothing
was read is looked for among the lines around the rows above and below it: by its label, else by counting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evals.review.figures.document import DocumentView
from evals.review.figures.views import FigureView, Grid, Row
from pipeline.document import Span

_AROUND = 3
_NUMBER = re.compile(r"^[\s（(]*[0-9０-９一二三四五六七八九十]{1,2}[）)、.．\s]+")
_REMARK = re.compile(r"[（(].*?[）)]|其中[:：]|[:：\s]")
_SHORTEST_LABEL = 2


def cells_of(view: DocumentView, text: str, path: str) -> tuple[Span, ...]:
    """The cells that may be that of the empty place `path`; none where nothing tells."""
    for section in view.sections:
        for grid in section.grids:
            for at, row in enumerate(_rows(grid)):
                column = next((n for n, each in enumerate(row.cells) if each.path == path), None)
                if column is not None and not grid.is_list:
                    return _in_grid(text, grid, at, column)
    return ()


def _rows(grid: Grid) -> tuple[Row, ...]:
    return tuple(grid.rows)


def _in_grid(text: str, grid: Grid, at: int, column: int) -> tuple[Span, ...]:
    rows = _rows(grid)
    beside = {
        _cell_at(text, place.start, by=column - n)
        for n, place in enumerate(rows[at].cells)
        if _is_read(place) and place.start is not None
    }
    if beside:
        return tuple(span for span in beside if span is not None) if len(beside) == 1 else ()
    if grid.form not in ("proactive", "statistics"):
        return ()  # the blocks of remedies stand side by side, the rows of requests under heads of their own
    return tuple(dict.fromkeys(_in_rows_around(text, rows, at, column)))


def _is_read(place: FigureView) -> bool:
    return bool(place.key) and place.source == "table"


@dataclass(frozen=True, slots=True)
class _Known:
    """A row that was read: which one, its line, and the tab before its first column."""

    at: int
    line: int
    tab: int


def _in_rows_around(text: str, rows: Sequence[Row], at: int, column: int) -> Iterator[Span]:
    above = next((known for n in range(at - 1, -1, -1) if (known := _known(text, rows, n))), None)
    below = next((known for n in range(at + 1, len(rows)) if (known := _known(text, rows, n))), None)
    nearest = above or below
    if nearest is None:
        return
    lines = text.split("\n")
    first = above.line + 1 if above else nearest.line - (nearest.at - at) - _AROUND
    stop = below.line if below else nearest.line + (at - nearest.at) + 1 + _AROUND
    between = [n for n in range(max(0, first), min(stop, len(lines))) if "\t" in lines[n]]
    named = [n for n in between if _is_named(lines[n], rows[at].label)]
    if not named and above and below and below.line - above.line == below.at - above.at:
        named = [above.line + at - above.at]
    for line in named:
        start = sum(len(each) + 1 for each in lines[:line])
        cell = _cell_at(text, start, by=nearest.tab + column)
        if cell is not None:
            yield cell


def _known(text: str, rows: Sequence[Row], at: int) -> _Known | None:
    for column, place in enumerate(rows[at].cells):
        if _is_read(place) and place.start is not None:
            line = text.count("\n", 0, place.start)
            tab = text.count("\t", text.rfind("\n", 0, place.start) + 1, place.start)
            return _Known(at, line, tab - column)
    return None


def _is_named(line: str, label: str) -> bool:
    """Whether a cell of the line is the label, their numbers and remarks aside."""
    wanted = _plain(label)
    return len(wanted) >= _SHORTEST_LABEL and any(_plain(cell) == wanted for cell in line.split("\t"))


def _plain(label: str) -> str:
    return _REMARK.sub("", _NUMBER.sub("", label))


def _cell_at(text: str, start: int, by: int) -> Span | None:
    """The cell `by` tabs to the right of the one at `start`, in the same line; without tabs `by` lines on."""
    line = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", start)
    stop = len(text) if stop < 0 else stop
    parted_by = "\t" if "\t" in text[line:stop] else "\n"
    if parted_by == "\n":
        line, stop = 0, len(text)
    cells = text[line:stop].split(parted_by)
    at = text.count(parted_by, line, start) + by
    if not 0 <= at < len(cells):
        return None
    begin = line + sum(len(cell) + 1 for cell in cells[:at])
    return Span(begin, begin + len(cells[at]))
