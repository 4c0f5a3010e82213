"""A page as a picture: grey levels on even paper, turned upright.

Rotation is found where the ink, summed along the lines, is gathered in the fewest rows:
ruling lines decide where there are any, lines of text otherwise. Lengths are points;
`points` tells how many a pixel has.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.read.turn import Turn

Levels = NDArray[np.uint8]

POINTS_A_MM = 72 / 25.4
MAX_ANGLE = 3.0
# Below this the rotation is not worth a second sampling of the picture.
_STRAIGHT = 0.06
_STEPS = ((MAX_ANGLE + 0.5, 0.25), (0.25, 0.05), (0.05, 0.01))
_STROKE_MM = 3.6  # wider than any stroke of body type, narrower than a shaded row is high
_COARSE = 4
_STRONG, _FAINT = 50, 14
_INK_SHARE = 0.35
_ENOUGH_INK = 50


@dataclass(frozen=True)
class Picture:
    """An upright page. `levels`: 255 paper, 0 black. `ink` is the darkness of its print, 0..255."""

    levels: Levels
    points: float
    ink: float
    turn: Turn

    @property
    def darkness(self) -> Levels:
        """0 paper, 255 black."""
        return np.asarray(255 - self.levels, dtype=np.uint8)

    @property
    def is_ink(self) -> Levels:
        """1 where something is printed, noise included."""
        return np.asarray(self.darkness > max(_FAINT, _INK_SHARE * self.ink), dtype=np.uint8)

    def pixels(self, mm: float) -> float:
        """Millimetres on the page in pixels."""
        return mm * POINTS_A_MM / self.points


def upright(levels: Levels, points: float) -> Picture:
    """The picture with even paper and without the scanner's rotation of up to 3°."""
    even = _on_even_paper(levels, points)
    angle = _rotation(even)
    height, width = levels.shape
    centre = ((width - 1) / 2, (height - 1) / 2)
    if abs(angle) > _STRAIGHT:
        even = _on_even_paper(_turned(levels, centre, angle), points)
    else:
        angle = 0.0
    return Picture(even, points, _ink(even), Turn(angle, centre[0] * points, centre[1] * points))


def thickened(marks: Levels, down: int, across: int) -> Levels:
    """Marks (1 on 0) spread over a rectangle of so many pixels around each."""
    return np.asarray(cv2.dilate(marks, np.ones((down, across), np.uint8)), dtype=np.uint8)


def _turned(levels: Levels, centre: tuple[float, float], angle: float) -> Levels:
    matrix = cv2.getRotationMatrix2D(centre, angle, 1.0)
    size = (levels.shape[1], levels.shape[0])
    turned = cv2.warpAffine(levels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, dtype=np.uint8)


def _on_even_paper(levels: Levels, points: float) -> Levels:
    """Grey levels relative to the paper around: shaded rows, shadows and yellowed paper become white."""
    size = (max(1, levels.shape[1] // _COARSE), max(1, levels.shape[0] // _COARSE))
    coarse = cv2.resize(levels, size, interpolation=cv2.INTER_AREA)
    reach = max(3, round(_STROKE_MM * POINTS_A_MM / points / _COARSE)) | 1
    paper = cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    paper = cv2.resize(cv2.blur(paper, (3, 3)), (levels.shape[1], levels.shape[0]))
    return np.asarray(255 - cv2.subtract(paper, levels), dtype=np.uint8)


def _ink(even: Levels) -> float:
    """How dark the strokes are; 0 for an empty page."""
    strong = (255 - even)[even < 255 - _STRONG]
    return float(np.percentile(strong, 70)) if len(strong) >= _ENOUGH_INK else 0.0


def _rotation(even: Levels) -> float:
    """Degrees by which the page has to be turned, counter-clockwise; 0 where nothing tells."""
    half = cv2.resize(even, (even.shape[1] // 2 or 1, even.shape[0] // 2 or 1), interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(half < 255 - _STRONG + 10)
    if len(rows) < _ENOUGH_INK:
        return 0.0
    every = 1 + len(rows) // 60_000
    down, across = rows[::every].astype(np.float64), columns[::every].astype(np.float64)
    best = 0.0
    for reach, step in _STEPS:
        angles = [best + step * number for number in range(-round(reach / step), round(reach / step) + 1)]
        best = max(angles, key=lambda angle: _gathering(down, across, angle))
    return best if abs(best) <= MAX_ANGLE + 0.1 else 0.0


def _gathering(rows: NDArray[np.float64], columns: NDArray[np.float64], angle: float) -> float:
    """How much of the ink shares few rows once the page is turned by `angle`."""
    heights = rows - columns * np.tan(np.radians(angle))
    heights -= heights.min()
    whole = heights.astype(np.int64)
    part = heights - whole
    profile = np.bincount(whole, 1 - part, whole.max() + 2) + np.bincount(whole + 1, part, whole.max() + 2)
    return float((profile**2).sum())
