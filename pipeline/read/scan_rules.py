"""Ruling lines of a scanned page, also where they are broken, thin, grey or a little slanted.

A rule is a long thin run of ink with paper on both sides. Strokes of characters make runs
too: what is short counts only where it ends at rules of the other direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from pipeline.read.pdf_grid import Rule
from pipeline.read.scan_picture import Levels, Picture, thickened

# Millimetres. A run is filled over a window of this length, and at least so long.
_WINDOW = {"horizontal": 6.0, "vertical": 4.5}
_SHORTEST = {"horizontal": 6.5, "vertical": 4.5}
_FILLED = 0.85
_BRIDGED = 3.0
_THICKEST = 2.5
_TOUCHES = 0.8
# From these lengths on a run that ends at one rule, or at none, is a rule.
_ONE_END = {"horizontal": 15.0, "vertical": 7.5}
_NO_END = {"horizontal": 15.0, "vertical": 15.0}
_FAINT_INK = 0.18
_STRONG_INK = 0.35
_FAINTEST = 14
# Share of a rule along which something may touch it: text, other rules.
_TOUCHED = 0.35
# What nothing touches may have lost this much of its length (millimetres) and be one rule still.
_FREE = 0.1
_SAME_LINE = 0.5
_LOST = {"horizontal": 20.0, "vertical": 4.0}
# So many runs that end side by side (the run itself among them) are an open border.
_SHARED = 3
_MIN_CROSSINGS = {"horizontal": 2, "vertical": 1}

Direction = Literal["horizontal", "vertical"]


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A run of ink in pixels: its place across, its ends, its pixels and where their map begins."""

    direction: Direction
    at: float
    start: float
    end: float
    pixels: Levels
    corner: tuple[int, int]
    touched: float

    @property
    def length(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Ruling:
    """The rules of a page in points, and a map of their pixels (1 where a rule is)."""

    rules: tuple[Rule, ...]
    mask: Levels


def ruling_of(picture: Picture) -> Ruling:
    """The ruling lines of an upright picture."""
    dark = picture.darkness
    runs: dict[Direction, list[_Run]] = {
        "horizontal": _runs(dark, picture, "horizontal"),
        "vertical": _runs(np.ascontiguousarray(dark.T), picture, "vertical"),
    }
    kept = _meeting(_anchored(runs, picture), picture)
    masks = {"horizontal": np.zeros_like(dark), "vertical": np.zeros_like(dark.T)}
    rules = []
    for run in kept:
        start, end = (_drawn_to(run, at, kept, picture) for at in (run.start, run.end))
        _paint(masks[run.direction], run, start, end)
        ends = (start * picture.points, end * picture.points)
        rules.append(Rule(run.direction, run.at * picture.points, *ends))
    return Ruling(tuple(rules), masks["horizontal"] | masks["vertical"].T)


def _paint(mask: Levels, run: _Run, start: float, end: float) -> None:
    """The pixels of a run between its ends, in the map of its direction."""
    top, left = run.corner
    first, last = (min(max(round(at) - left, 0), run.pixels.shape[1]) for at in (start - 2, end + 2))
    mask[top : top + run.pixels.shape[0], left + first : left + last] |= run.pixels[:, first:last]


def _runs(dark: Levels, picture: Picture, direction: Direction) -> list[_Run]:
    """Thin long runs along the rows of `dark`."""
    faint = thickened((dark > max(_FAINTEST, _FAINT_INK * picture.ink)).astype(np.uint8), 3, 1)
    window = round(picture.pixels(_WINDOW[direction]))
    filled = cv2.blur(faint.astype(np.float32), (window, 1)) >= _FILLED
    found = thickened(filled.astype(np.uint8), 1, round(0.7 * window) | 1) & faint
    bridge = np.ones((1, round(picture.pixels(_BRIDGED))), np.uint8)
    closed = cv2.morphologyEx(found, cv2.MORPH_CLOSE, bridge)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    strong = dark > max(_FAINTEST, _STRONG_INK * picture.ink)
    runs = []
    for label in range(1, count):
        x, y, width, height = (int(each) for each in boxes[label][:4])
        is_thin = height <= picture.pixels(_THICKEST)
        if is_thin and width >= picture.pixels(_SHORTEST[direction]):
            top = max(0, y - 4)
            around = slice(top, y + height + 4), slice(x, x + width)
            pixels = (labels[around] == label).astype(np.uint8)
            touched = _touched(pixels, strong[around])
            if touched <= _TOUCHED:
                runs.append(_Run(direction, y + height / 2, x, x + width, pixels, (top, x), touched))
    return _joined(runs, picture)


def _joined(runs: Sequence[_Run], picture: Picture) -> list[_Run]:
    """Runs in one line that nothing touches: what a bad copy left of one thin rule."""
    slack = picture.pixels(_SAME_LINE)
    joined: list[_Run] = []
    for run in sorted(runs, key=lambda run: run.start):
        before = next(
            (
                index
                for index, other in enumerate(joined)
                if abs(other.at - run.at) <= slack
                and 0 <= run.start - other.end <= picture.pixels(_LOST[run.direction])
                and max(run.touched, other.touched) <= _FREE
            ),
            None,
        )
        if before is None:
            joined.append(run)
        else:
            joined[before] = _one_run(joined[before], run)
    return joined


def _one_run(first: _Run, second: _Run) -> _Run:
    """Two runs and the band between them."""
    top = min(first.corner[0], second.corner[0])
    bottom = max(run.corner[0] + run.pixels.shape[0] for run in (first, second))
    left = first.corner[1]
    pixels = np.zeros((bottom - top, round(second.end) - left), np.uint8)
    for run in (first, second):
        y, x = run.corner[0] - top, run.corner[1] - left
        pixels[y : y + run.pixels.shape[0], x : x + run.pixels.shape[1]] |= run.pixels
    middle = round((first.at + second.at) / 2) - top
    pixels[max(middle - 2, 0) : middle + 3, round(first.end) - left : round(second.start) - left] = 1
    share = first.length / (first.length + second.length)
    at = share * first.at + (1 - share) * second.at
    touched = max(first.touched, second.touched)
    return _Run(first.direction, at, first.start, second.end, pixels, (top, left), touched)


def _touched(run: Levels, ink: np.ndarray) -> float:
    """Share of a run's length along which ink stands directly beside it."""
    beside = thickened(run, 7, 1) - thickened(run, 3, 1)
    return float(((beside > 0) & ink).any(axis=0).mean())


def _anchored(runs: dict[Direction, list[_Run]], picture: Picture) -> list[_Run]:
    """Long runs, and shorter ones that end at rules of the other direction."""
    level = [run for run in runs["horizontal"] if run.length >= picture.pixels(_NO_END["horizontal"])]
    upright = [run for run in runs["vertical"] if _is_anchored(run, level, picture)]
    short = [run for run in runs["horizontal"] if run not in level and _is_anchored(run, upright, picture)]
    return [*level, *short, *upright]


def _is_anchored(run: _Run, others: Sequence[_Run], picture: Picture) -> bool:
    slack = picture.pixels(_TOUCHES)
    ends = sum(_ends_at(run, end, others, slack) for end in (run.start, run.end))
    needed = (_NO_END, _ONE_END, _SHORTEST)[ends]
    return run.length >= picture.pixels(needed[run.direction])


def _ends_at(run: _Run, end: float, others: Iterable[_Run], slack: float) -> bool:
    return any(
        abs(other.at - end) <= slack and other.start - slack <= run.at <= other.end + slack
        for other in others
    )


def _meeting(runs: Sequence[_Run], picture: Picture) -> list[_Run]:
    """Rules that belong to a table: they meet rules of the other direction."""
    slack = picture.pixels(_TOUCHES)
    kept = list(runs)
    while True:
        meeting = [run for run in kept if _crossings(run, kept, slack) >= _MIN_CROSSINGS[run.direction]]
        if len(meeting) == len(kept):
            return kept
        kept = meeting


def _crossings(run: _Run, runs: Sequence[_Run], slack: float) -> int:
    return sum(
        other.direction != run.direction
        and other.start - slack <= run.at <= other.end + slack
        and run.start - slack <= other.at <= run.end + slack
        for other in runs
    )


def _drawn_to(run: _Run, end: float, runs: Sequence[_Run], picture: Picture) -> float:
    """The rule at which `end` should stand; an end shared with other runs is an open border."""
    slack = picture.pixels(_TOUCHES)
    shared = sum(
        min(abs(other.start - end), abs(other.end - end)) <= slack
        for other in runs
        if other.direction == run.direction
    )
    reach = slack if shared >= _SHARED else picture.pixels(_NO_END[run.direction])
    near = [
        other.at
        for other in runs
        if other.direction != run.direction
        and abs(other.at - end) <= reach
        and other.start - slack <= run.at <= other.end + slack
    ]
    return min(near, key=lambda at: abs(at - end), default=end)
