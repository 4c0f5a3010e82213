"""Printed strokes of a page: what is ink and what is dirt, and the lines that they form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.read.scan_picture import Levels, Picture, thickened

# Millimetres. A stroke or character has at least this extent; less is a point or dirt.
SMALLEST_MM = 0.8
_SMALLEST_AREA = 0.25  # square millimetres
_LEFT_OVER = 0.4  # share of its pixels at a rule from which on ink is a piece of the rule
_BROKEN_INTO = 3  # points from which on they can be a broken stroke
# Points and marks this near to a line, in shares of its height, belong to it; to a line no
# longer than a figure (in heights) only what stands between its characters, as a decimal point does.
_NEAR = 0.6
SHORT_LINE = 3.2
_ABOVE, _BELOW = 0.3, 0.15


@dataclass(frozen=True, slots=True)
class Extent:
    """A rectangle in pixels; `x1` and `bottom` are the first beyond it."""

    x0: int
    top: int
    x1: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top

    def around(self, other: Extent) -> Extent:
        """The smallest rectangle that holds both."""
        return Extent(
            min(self.x0, other.x0),
            min(self.top, other.top),
            max(self.x1, other.x1),
            max(self.bottom, other.bottom),
        )


def united(extents: Iterable[Extent]) -> Extent:
    """The smallest rectangle that holds all."""
    first, *rest = extents
    for each in rest:
        first = first.around(each)
    return first


@dataclass(frozen=True)
class Ink:
    """Connected ink of a page without its ruling lines: extents, and which are more than a point.

    `is_broken` marks points that stand so near to each other that they may be one stroke,
    `touches_rule` what stands at a ruling line: it may have lost a part to it.
    """

    extents: tuple[Extent, ...]
    is_stroke: NDArray[np.bool_]
    is_broken: NDArray[np.bool_]
    touches_rule: NDArray[np.bool_]
    middles: NDArray[np.float64]

    def inside(self, place: Extent) -> Sequence[int]:
        """Indices of what has its middle in a rectangle."""
        x, y = self.middles[:, 0], self.middles[:, 1]
        within = (place.x0 <= x) & (x < place.x1) & (place.top <= y) & (y < place.bottom)
        found: Sequence[int] = np.flatnonzero(within).tolist()
        return found


def ink_of(picture: Picture, rules: Levels) -> Ink:
    """The strokes of a page; `rules` is 1 on its ruling lines, which are left out."""
    ink = picture.is_ink & (1 - rules)
    _, labels, boxes, middles = cv2.connectedComponentsWithStats(ink, connectivity=8)
    beside = np.asarray(labels)[(thickened(rules, 3, 3) > 0) & (ink > 0)]
    touching = np.bincount(beside, minlength=len(boxes))[1:]
    boxes, middles = boxes[1:], middles[1:]
    mm = picture.pixels(1.0)
    is_left_over = touching > _LEFT_OVER * boxes[:, 4]
    return Ink(
        tuple(_extent(box) for box in boxes.tolist()),
        _are_strokes(boxes, mm) & ~is_left_over,
        _are_broken_strokes(ink, boxes, middles, mm) & ~is_left_over,
        np.asarray(touching > 0),
        np.asarray(middles, dtype=np.float64),
    )


def without_rules(picture: Picture, rules: Levels) -> Levels:
    """The grey levels with ruling lines painted over, and their blurred edges where nothing touches them."""
    around = thickened(rules, 3, 3) & (1 - picture.is_ink)
    return np.where((rules > 0) | (around > 0), 255, picture.levels).astype(np.uint8)


def _are_strokes(boxes: NDArray[Any], mm: float) -> NDArray[np.bool_]:
    """Of (x, y, width, height, area) rows, those too large for a point."""
    longest = boxes[:, 2:4].max(axis=1, initial=0)
    return np.asarray((longest >= SMALLEST_MM * mm) & (boxes[:, 4] >= _SMALLEST_AREA * mm * mm))


def _are_broken_strokes(
    ink: Levels, boxes: NDArray[Any], middles: NDArray[Any], mm: float
) -> NDArray[np.bool_]:
    """Points that together are a stroke, as a thin slash that the scanner left in pieces."""
    _, labels, groups, _ = cv2.connectedComponentsWithStats(thickened(ink, 3, 3))
    columns, rows = middles.round().astype(int).T
    group = np.asarray(labels)[rows, columns]
    areas = np.bincount(group, boxes[:, 4], len(groups))
    counts = np.bincount(group, minlength=len(groups))
    groups = np.column_stack((groups[:, :4] - (0, 0, 2, 2), areas))
    is_broken = _are_strokes(groups, mm) & (counts >= _BROKEN_INTO)
    return np.asarray(is_broken[group] & (group > 0))


def _extent(box: Sequence[Any]) -> Extent:
    x, y, width, height = box[:4]
    return Extent(x, y, x + width, y + height)


def lines_in(ink: Ink, place: Extent, em: float | None) -> list[Extent]:
    """The lines of print in a rectangle, top to bottom; none where it holds at most dirt.

    `em` is the height of a character where it is known: pieces of one character that stand
    apart, as in 二, are one line.
    """
    indices = ink.inside(place)
    printed = [each for each in indices if ink.is_stroke[each]]
    printed = printed or [each for each in indices if ink.is_broken[each]]
    strokes = sorted((ink.extents[each] for each in printed), key=lambda extent: extent.top)
    lines: list[Extent] = []
    for stroke in strokes:
        if lines and stroke.top < lines[-1].bottom:
            lines[-1] = lines[-1].around(stroke)
        else:
            lines.append(stroke)
    lines = _whole_characters(lines, em) if em else lines
    points = [ink.extents[each] for each in indices if each not in printed]
    return [_with_points(line, points) for line in lines]


def is_cut(ink: Ink, line: Extent) -> bool:
    """Whether a character of the line runs into a ruling line: painting over that changes its shape."""
    return any(ink.touches_rule[each] and ink.is_stroke[each] for each in ink.inside(line))


def _whole_characters(lines: Sequence[Extent], em: float) -> list[Extent]:
    whole: list[Extent] = []
    for line in lines:
        if whole and line.bottom - whole[-1].top <= 1.1 * em and line.height < 0.75 * em:
            whole[-1] = whole[-1].around(line)
        else:
            whole.append(line)
    return whole


def _with_points(line: Extent, points: Sequence[Extent]) -> Extent:
    near = 0.0 if line.width <= SHORT_LINE * line.height else _NEAR * line.height
    mine = [
        point
        for point in points
        if line.top - _ABOVE * line.height <= point.top
        and point.bottom <= line.bottom + _BELOW * line.height
        and line.x0 - near <= point.x0
        and point.x1 <= line.x1 + near
    ]
    return united([line, *mine])


def without_dirt(levels: Levels, ink: Ink, place: Extent, lines: Sequence[Extent]) -> None:
    """Paint over what is printed in a rectangle in no line of it."""
    for index in ink.inside(place):
        dirt = ink.extents[index]
        if not ink.is_stroke[index] and not any(_holds(line, dirt) for line in lines):
            levels[max(dirt.top - 1, 0) : dirt.bottom + 1, max(dirt.x0 - 1, 0) : dirt.x1 + 1] = 255


def _holds(line: Extent, point: Extent) -> bool:
    return (
        line.x0 <= point.x0 and point.x1 <= line.x1 and line.top <= point.top and point.bottom <= line.bottom
    )
