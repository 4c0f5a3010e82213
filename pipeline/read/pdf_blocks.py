"""Labels of a table without rules: the lines of a label as one piece."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.read.characters import close_up, join_lines
from pipeline.read.pdf_pieces import Piece

SAME_ROW = 0.35  # of a character: what differs less in height stands in one row
_WIDEST_LEADING = 0.75


def blocks_of(labels: Sequence[Piece], heights: Sequence[float], size: float) -> list[Piece]:
    """The lines of a label as one piece: near to each other, and not each beside figures of its own."""
    ordered = sorted(labels, key=lambda piece: (piece.middle, piece.x0))
    leading = min(_leading(ordered), _WIDEST_LEADING * size)
    blocks: list[list[Piece]] = []
    for piece in ordered:
        above = next((block for block in reversed(blocks) if _goes_on(block[-1], piece, leading)), None)
        own_row = _is_beside(piece, heights, size)
        if above is None or (own_row and any(_is_beside(part, heights, size) for part in above)):
            blocks.append([piece])
        else:
            above.append(piece)
    return [_joined(block) for block in blocks]


def _leading(pieces: Sequence[Piece]) -> float:
    """The least distance between lines under each other, with some play."""
    gaps = [
        second.top - first.bottom
        for first in pieces
        for second in pieces
        if second.top >= first.bottom - 1 and overlap(first, second)
    ]
    return 1.0 + 1.3 * max(0.0, min(gaps, default=0.0))


def _goes_on(above: Piece, below: Piece, leading: float) -> bool:
    return overlap(above, below) and below.middle - above.middle > 0 and below.top - above.bottom <= leading


def overlap(one: Piece, other: Piece) -> bool:
    """Whether the narrower of the two stands over or under the other."""
    shared = min(one.x1, other.x1) - max(one.x0, other.x0)
    return shared >= 0.5 * min(one.x1 - one.x0, other.x1 - other.x0)


def _is_beside(piece: Piece, heights: Sequence[float], size: float) -> bool:
    return any(abs(height - piece.middle) <= SAME_ROW * size for height in heights)


def _joined(block: Sequence[Piece]) -> Piece:
    text = ""
    for piece in block:
        text = join_lines(text, piece.text)
    return Piece(
        close_up(text),
        min(piece.x0 for piece in block),
        max(piece.x1 for piece in block),
        block[0].top,
        block[-1].bottom,
    )
