"""Ruled tables of a PDF page: lines to a grid, the grid to cells with spans.

The lines give the grid's columns and rows; a cell is what no line divides. Outer
lines may be missing, as they are where a page break opens a table: the box of all
lines closes it, so that no cell is lost for want of a border.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

# Points. Lines nearer than SNAP are one line; a filled box thinner than THIN is a line.
SNAP = 3.0
THIN = 3.0
_WHITE = 0.98
_FRAME = 0.85
_OFF_PAGE = 100_000.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line on the page: its place across, and where it begins and ends."""

    direction: Literal["horizontal", "vertical"]
    at: float
    start: float
    end: float

    @property
    def top(self) -> float:
        """Upper end."""
        return self.start if self.direction == "vertical" else self.at

    @property
    def bottom(self) -> float:
        """Lower end."""
        return self.end if self.direction == "vertical" else self.at


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell by its upper left place in the grid and the places it covers."""

    row: int
    column: int
    row_span: int
    column_span: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table on one page: edges from left to right and top to bottom, in points."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[GridCell, ...]
    place: dict[tuple[int, int], int]

    def cell_at(self, x: float, y: float) -> int | None:
        """Index of the cell that holds the point, or None outside of the table."""
        if not (self.xs[0] <= x <= self.xs[-1] and self.ys[0] <= y <= self.ys[-1]):
            return None
        column = min(max(bisect_left(self.xs, x) - 1, 0), len(self.xs) - 2)
        row = min(max(bisect_left(self.ys, y) - 1, 0), len(self.ys) - 2)
        return self.place[row, column]


def rules_of(page: Any) -> list[Rule]:
    """The visible straight lines of a pdfplumber page."""
    rules: list[Rule] = []
    for shape in (*page.lines, *page.rects, *page.curves):
        if not _is_frame(shape, page):
            rules.extend(_rules_of_shape(shape))
    return rules


def _is_frame(shape: dict[str, Any], page: Any) -> bool:
    """A box around the whole page is no table."""
    return bool(shape["width"] > _FRAME * page.width and shape["height"] > _FRAME * page.height)


def _rules_of_shape(shape: dict[str, Any]) -> Iterator[Rule]:
    x0, x1, top, bottom = shape["x0"], shape["x1"], shape["top"], shape["bottom"]
    if not all(abs(place) < _OFF_PAGE for place in (x0, x1, top, bottom)):
        return  # damaged files have infinite places
    is_line = shape["object_type"] == "line"
    color = shape["stroking_color"] if is_line or shape.get("stroke") else shape["non_stroking_color"]
    if _is_white(color):
        return
    if bottom - top <= THIN < x1 - x0:
        yield Rule("horizontal", (top + bottom) / 2, x0, x1)
    elif x1 - x0 <= THIN < bottom - top:
        yield Rule("vertical", (x0 + x1) / 2, top, bottom)
    elif shape["object_type"] == "rect" and shape.get("stroke") and x1 - x0 > THIN:
        yield from (Rule("horizontal", y, x0, x1) for y in (top, bottom))
        yield from (Rule("vertical", x, top, bottom) for x in (x0, x1))


def _is_white(color: Any) -> bool:
    if color is None:
        return False
    values = color if isinstance(color, Sequence) else (color,)
    if not values or not all(isinstance(value, int | float) for value in values):
        return False
    return bool(max(values) <= 1 - _WHITE if len(values) == 4 else min(values) >= _WHITE)


def grids_of(rules: Iterable[Rule]) -> list[Grid]:
    """The tables that the lines form, from top to bottom."""
    grids = (_grid(group) for group in _groups(rules))
    return [grid for grid in grids if grid is not None]


def _groups(rules: Iterable[Rule]) -> Iterator[list[Rule]]:
    """Lines that touch or overlap in height: one group a table."""
    group: list[Rule] = []
    bottom = 0.0
    for rule in sorted(rules, key=lambda rule: rule.top):
        if group and rule.top > bottom + SNAP:
            yield group
            group = []
        bottom = max(bottom, rule.bottom) if group else rule.bottom
        group.append(rule)
    if group:
        yield group


def _grid(rules: Sequence[Rule]) -> Grid | None:
    upright = [rule for rule in rules if rule.direction == "vertical"]
    level = [rule for rule in rules if rule.direction == "horizontal"]
    if not upright or not level:
        return None
    xs = snapped([rule.at for rule in upright] + [end for rule in level for end in _ends(rule, level)])
    ys = snapped([rule.at for rule in level] + [end for rule in upright for end in _ends(rule, upright)])
    if len(xs) < 2 or len(ys) < 2:
        return None
    return _cells(xs, ys, _walls(upright, xs, ys), _walls(level, ys, xs))


def _ends(rule: Rule, same_way: Sequence[Rule]) -> list[float]:
    """The ends of a line that reach the outline of the table."""
    first = min(each.start for each in same_way)
    last = max(each.end for each in same_way)
    return [end for end in (rule.start, rule.end) if end - first <= SNAP or last - end <= SNAP]


def snapped(values: Iterable[float], tolerance: float = SNAP) -> tuple[float, ...]:
    """Ascending values with near ones made one, each the mean of its group."""
    groups: list[list[float]] = []
    for value in sorted(values):
        if groups and value - groups[-1][-1] <= tolerance and value - groups[-1][0] <= 2 * tolerance:
            groups[-1].append(value)
        else:
            groups.append([value])
    return tuple(sum(group) / len(group) for group in groups)


def nearest(values: Sequence[float], value: float) -> int:
    """Index of the nearest of the ascending `values`."""
    right = bisect_left(values, value)
    if right == 0:
        return 0
    if right == len(values) or value - values[right - 1] <= values[right] - value:
        return right - 1
    return right


def _walls(rules: Iterable[Rule], places: Sequence[float], steps: Sequence[float]) -> set[tuple[int, int]]:
    """(place, step) pairs where a line stands between two neighbouring units of the grid."""
    walls: set[tuple[int, int]] = set()
    middles = [(first + second) / 2 for first, second in pairwise(steps)]
    for rule in rules:
        place = nearest(places, rule.at)
        first, last = bisect_left(middles, rule.start), bisect_left(middles, rule.end)
        walls.update((place, step) for step in range(first, last))
    return walls


def _cells(
    xs: Sequence[float], ys: Sequence[float], upright: set[tuple[int, int]], level: set[tuple[int, int]]
) -> Grid:
    """Units without a line between them are one cell; what is no rectangle is cut into rows."""
    width, height = len(xs) - 1, len(ys) - 1
    cells: list[GridCell] = []
    place: dict[tuple[int, int], int] = {}
    for row in range(height):
        for column in range(width):
            if (row, column) in place:
                continue
            cell = _grown(row, column, width, height, upright, level, place)
            for r in range(row, row + cell.row_span):
                for c in range(column, column + cell.column_span):
                    place[r, c] = len(cells)
            cells.append(cell)
    return Grid(tuple(xs), tuple(ys), tuple(cells), place)


def _grown(
    row: int,
    column: int,
    width: int,
    height: int,
    upright: set[tuple[int, int]],
    level: set[tuple[int, int]],
    place: dict[tuple[int, int], int],
) -> GridCell:
    """The rectangle from an upper left unit to the first lines on its right and below."""
    right = column + 1
    while right < width and (right, row) not in upright and (row, right) not in place:
        right += 1
    bottom = row + 1
    while bottom < height and _is_open_below(bottom, column, right, width, upright, level):
        bottom += 1
    return GridCell(row, column, bottom - row, right - column)


def _is_open_below(
    row: int, left: int, right: int, width: int, upright: set[tuple[int, int]], level: set[tuple[int, int]]
) -> bool:
    """Whether the next row of units belongs to the rectangle: no line above it or inside it."""
    if any((row, column) in level for column in range(left, right)):
        return False
    if any((column, row) in upright for column in range(left + 1, right)):
        return False
    return right == width or (right, row) in upright
