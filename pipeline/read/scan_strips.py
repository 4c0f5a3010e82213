"""Lines of print put side by side for the recogniser, and its answer shared out to them again.

A lone 0 looks like an O: what tells them apart is the company that they keep. Short lines of
a table are therefore read together, between two digits that are drawn at the ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from pipeline.read.scan_ink import Extent
from pipeline.read.scan_ocr import Character, Line, recognise
from pipeline.read.scan_picture import Levels

# A crop reaches beyond its line by these shares of the line's height; pieces stand apart by _GAP.
_ABOVE, _BESIDE, _GAP = 0.14, 0.2, 0.5
_LOWEST = 0.7
_COMPANY = "37"
# Of a drawn digit, in shares of the strip's height.
_SIGN_WIDTH, _BASE_LINE = 0.5, 0.78
_SIGN_INK = 30


@dataclass(frozen=True)
class Sheet:
    """The picture from which crops are taken: grey levels without ruling lines; height of a character."""

    levels: Levels
    em: float


@dataclass(frozen=True)
class Strip:
    """Lines that are read together; `are_figures` where they may be figures of a table."""

    pieces: tuple[Extent, ...]
    are_figures: bool = False


def read_strips(sheet: Sheet, strips: Sequence[Strip]) -> list[list[Line]]:
    """The characters of every piece of every strip; places are shares of the piece's width."""
    laid = [_laid(sheet, strip) for strip in strips]
    lines = recognise([paper for paper, _ in laid])
    read = []
    for strip, (paper, edges), line in zip(strips, laid, lines, strict=True):
        pieces = list(_shared_out(line, edges, paper.shape[1]))
        read.append(_without_company(pieces) if strip.are_figures else pieces)
    return read


def _without_company(pieces: Sequence[Line]) -> list[Line]:
    """The pieces between the drawn digits; empty ones where these were not read as drawn.

    Then characters were shared out to wrong pieces, or nothing was read as it stands.
    """
    first, *inner, last = pieces
    ends = ["".join(character.text for character in line) for line in (first, last)]
    return inner if ends == list(_COMPANY) else [() for _ in inner]


def _laid(sheet: Sheet, strip: Strip) -> tuple[Levels, list[tuple[int, int]]]:
    """Pieces side by side on white paper, and where each begins and ends."""
    height = max(_LOWEST * sheet.em, *(piece.height for piece in strip.pieces))
    above, beside, gap = (round(share * height) for share in (_ABOVE, _BESIDE, _GAP))
    rows = round(height) + 2 * above
    pieces = [_cut_out(sheet.levels, piece, rows) for piece in strip.pieces]
    if strip.are_figures:
        first, last = (_drawn(sign, rows) for sign in _COMPANY)
        pieces = [first, *pieces, last]
    width = 2 * beside + sum(piece.shape[1] for piece in pieces) + gap * (len(pieces) - 1)
    paper = np.full((rows, width), 255, np.uint8)
    edges = []
    x = beside
    for piece in pieces:
        paper[:, x : x + piece.shape[1]] = piece
        edges.append((x, x + piece.shape[1]))
        x += piece.shape[1] + gap
    return paper, edges


def _drawn(sign: str, rows: int) -> Levels:
    """A digit as high as those of a strip."""
    paper = np.full((rows, round(_SIGN_WIDTH * rows)), 255, np.uint8)
    place = (0, round(_BASE_LINE * rows))
    thickness = max(1, round(rows / 18))
    cv2.putText(paper, sign, place, cv2.FONT_HERSHEY_SIMPLEX, rows / 40, _SIGN_INK, thickness, cv2.LINE_AA)
    return paper


def _cut_out(levels: Levels, piece: Extent, rows: int) -> Levels:
    """A piece on white paper of so many rows, its middle on theirs."""
    paper = np.full((rows, piece.width), 255, np.uint8)
    top = (piece.top + piece.bottom - rows) // 2
    y0, y1 = max(top, 0), min(top + rows, levels.shape[0])
    paper[y0 - top : y1 - top] = levels[y0:y1, piece.x0 : piece.x1]
    return paper


def _shared_out(line: Line, edges: Sequence[tuple[int, int]], width: int) -> Iterator[Line]:
    """Each character to the piece in which, or next to which, its middle stands."""
    middles = [width * (each.start + each.end) / 2 for each in line]
    bounds = [-np.inf, *((end + start) / 2 for (_, end), (start, _) in pairwise(edges)), np.inf]
    for (start, end), (first, last) in zip(edges, pairwise(bounds), strict=True):
        inside = [each for each, middle in zip(line, middles, strict=True) if first <= middle < last]
        yield tuple(_moved(each, width, start, end) for each in _without_gaps(inside))


def _without_gaps(line: Sequence[Character]) -> list[Character]:
    """Without the spaces at the ends: they are the gaps between pieces."""
    kept = list(line)
    while kept and kept[-1].text.isspace():
        kept.pop()
    while kept and kept[0].text.isspace():
        kept.pop(0)
    return kept


def _moved(character: Character, width: int, start: int, end: int) -> Character:
    places = ((width * each - start) / (end - start) for each in (character.start, character.end))
    first, last = (min(max(place, 0.0), 1.0) for place in places)
    return Character(character.text, character.confidence, first, last)
