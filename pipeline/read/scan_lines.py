"""Lines of text outside of tables: found by the detector, read by the recogniser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

import cv2
import numpy as np

from pipeline.document import Box
from pipeline.read.parts import RecognisedRun
from pipeline.read.pdf_lines import PageLine, may_part
from pipeline.read.scan_ink import Extent, Ink, united
from pipeline.read.scan_ocr import Character, Line, detect
from pipeline.read.scan_picture import Levels, Picture
from pipeline.read.scan_strips import Sheet, Strip, read_strips

_DETECTOR_DPI = 72
_SAME_LINE = 0.5  # share of the lower one's height that two pieces of a line have in common
_ONE_PIECE = 1.5  # heights of a line: nearer boxes are read together
_INK_OF_TYPE = 0.92  # height of a line's ink as a share of its type size
_SAME_SIZE = 0.25
_FIGURE = "0123456789０１２３４５６７８９"
_IN_FIGURE = ",.，．%％"


def read_lines(
    picture: Picture, ink: Ink, tables: Sequence[Extent], levels: Levels, page: int
) -> list[PageLine]:
    """The lines of print outside of `tables`; `levels` are without ruling lines."""
    outside = levels.copy()
    for table in tables:
        outside[table.top : table.bottom, table.x0 : table.x1] = 255
    pieces = [_on_ink(box, ink) for box in _boxes(outside, picture)]
    lines = _in_lines([piece for piece in pieces if piece is not None])
    if not lines:
        return []
    usual = median(_height(line) for line in lines)
    strips = [Strip((piece,)) for line in lines for piece in line]
    answers = iter(read_strips(Sheet(outside, usual), strips))
    read = [(line, [next(answers)[0] for _ in line]) for line in lines]
    return [_page_line(line, texts, picture, page, usual) for line, texts in read if any(texts)]


def _boxes(levels: Levels, picture: Picture) -> list[Extent]:
    """The boxes that the detector finds, in pixels of the picture."""
    rows = np.flatnonzero((levels < 128).any(axis=1))
    if not len(rows):
        return []
    top, bottom = max(int(rows[0]) - 20, 0), int(rows[-1]) + 20
    scale = _DETECTOR_DPI / 72 * picture.points
    part = levels[top:bottom]
    size = (max(32, round(part.shape[1] * scale)), max(32, round(part.shape[0] * scale)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    x, y = part.shape[1] / size[0], part.shape[0] / size[1]
    return [
        Extent(round(box.x0 * x), top + round(box.top * y), round(box.x1 * x), top + round(box.bottom * y))
        for box in detect(np.asarray(small, dtype=np.uint8))
    ]


def _on_ink(box: Extent, ink: Ink) -> Extent | None:
    """The box drawn to the strokes that stand in it; None where there are none."""
    strokes = [ink.extents[each] for each in ink.inside(box) if ink.is_stroke[each]]
    if not strokes:
        return None
    tight = united(strokes)
    slack = box.height // 4
    return Extent(tight.x0, max(tight.top, box.top - slack), tight.x1, min(tight.bottom, box.bottom + slack))


def _in_lines(pieces: Sequence[Extent]) -> list[list[Extent]]:
    """Pieces by printed line, top to bottom and left to right, near ones made one."""
    lines: list[list[Extent]] = []
    for piece in sorted(pieces, key=lambda piece: piece.top + piece.bottom):
        if lines and _is_beside(united(lines[-1]), piece):
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return [list(_near_ones_joined(line)) for line in lines]


def _is_beside(line: Extent, piece: Extent) -> bool:
    common = min(line.bottom, piece.bottom) - max(line.top, piece.top)
    return common >= _SAME_LINE * min(line.height, piece.height)


def _near_ones_joined(line: Sequence[Extent]) -> Iterator[Extent]:
    pieces = sorted(line, key=lambda piece: piece.x0)
    joined = pieces[0]
    for piece in pieces[1:]:
        if piece.x0 - joined.x1 <= _ONE_PIECE * max(joined.height, piece.height):
            joined = joined.around(piece)
        else:
            yield joined
            joined = piece
    yield joined


def _height(line: Sequence[Extent]) -> float:
    return max(piece.height for piece in line)


def _page_line(
    line: Sequence[Extent], texts: Sequence[Line], picture: Picture, page: int, usual: float
) -> PageLine:
    """A line in points. Lines of little ink, as of figures alone, take the size of the others."""
    height = _height(line)
    size = usual if abs(height - usual) <= _SAME_SIZE * usual else height
    whole = united(line)
    scale = picture.points
    runs = tuple(
        run for piece, text in zip(line, texts, strict=True) for run in _runs(piece, text, picture, page)
    )
    return PageLine(
        _text(texts),
        whole.x0 * scale,
        whole.x1 * scale,
        whole.top * scale,
        whole.bottom * scale,
        size * scale / _INK_OF_TYPE,
        page,
        runs,
    )


def _text(texts: Sequence[Line]) -> str:
    """The pieces of a line with a space between them, where one may stand."""
    read = ["".join(character.text for character in text).strip() for text in texts]
    read = [text for text in read if text]
    text = read[0]
    for before, after in pairwise(read):
        text += (" " if may_part(before[-1], after[0]) else "") + after
    return text


def _runs(piece: Extent, text: Line, picture: Picture, page: int) -> Iterator[RecognisedRun]:
    """Figures, and single characters between them, with their places on the page as scanned."""
    for _, group in groupby(_marked(text), key=lambda pair: pair[0]):
        run = [character for _, character in group]
        left, right = (piece.x0 + share * piece.width for share in (run[0].start, run[-1].end))
        box = Box(*(each * picture.points for each in (left, piece.top, right, piece.bottom)))
        sure = min(character.confidence for character in run)
        yield RecognisedRun("".join(character.text for character in run), page, picture.turn.back(box), sure)


def _marked(text: Line) -> Iterator[tuple[int, Character]]:
    """Each character with the number of its run: a figure with its marks is one, others have their own."""
    run, in_figure = 0, False
    for place, character in enumerate(text):
        is_digit = character.text in _FIGURE
        after = text[place + 1].text if place + 1 < len(text) else ""
        goes_on = in_figure and character.text in _IN_FIGURE and after != "" and after in _FIGURE
        if not (in_figure and (is_digit or goes_on)):
            run += 1
        in_figure = is_digit or goes_on
        yield run, character
