"""Which column each figure of a row belongs to.

As many figures as columns: the order decides. A row whose cells stand exactly under the
header cells: the places decide. Otherwise every order-preserving alignment is considered:
`table_identities` keeps those that break the fewest identities, and what they agree on is sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb
from typing import Literal

from pipeline.tables.header import Column
from pipeline.tables.rows import Line, PlacedCell

ROW_LIMIT = 10_000  # alignments of one row that are looked at; a row with more stays unread

How = Literal["order", "place", "identities", "empty"]
Alignment = tuple[PlacedCell | None, ...]


@dataclass(frozen=True)
class Placement:
    """Possible alignments of a row with its columns; None stands for a cell not printed.

    One alignment is sure, several are open, none means that there were too many. The first
    is `preferred` where the print itself speaks for it: it stays unless others break fewer
    identities.
    """

    alignments: tuple[Alignment, ...]
    how: How
    is_preferred: bool = False

    @property
    def is_open(self) -> bool:
        """Whether identities have to decide."""
        return len(self.alignments) != 1


def place_row(line: Line, columns: Sequence[Column]) -> Placement:
    """The alignments that the print of this row allows."""
    width = len(columns)
    figures, slots = line.figures, line.slots
    if len(figures) == width:
        if not _has_gap(slots):
            return Placement((figures,), "order")
        # A blank among them: a covered place, or one figure too many beside a blank cell.
        return Placement(_distinct([figures, *_alignments(line, width)]), "order", is_preferred=True)
    if not figures:
        return Placement((_blanks(slots, width),), "order" if len(slots) >= width else "empty")
    by_place = _by_place(line, columns)
    if by_place and None not in by_place:
        return _as_printed(by_place, slots)
    if len(slots) == width:
        return _as_printed(slots, slots)
    if by_place and by_place[-1] and line.is_grid:  # flat text: a place is only a count of tabs
        return Placement((by_place,), "place")
    if line.is_stream and _is_padded(line, width):
        return Placement((slots[:width], *_alignments(line, width)), "identities", is_preferred=True)
    return Placement(_alignments(line, width), "identities")


def _as_printed(alignment: Alignment, slots: Sequence[PlacedCell]) -> Placement:
    """The row as it stands; a blank last place may be padding behind a row that lost a figure."""
    figures = tuple(slot for slot in slots if not slot.is_blank)
    if len(alignment) < 2 or alignment[-1] is None or not alignment[-1].is_blank:
        return Placement((alignment,), "order")
    return Placement((alignment, *_spreads(figures, len(alignment))), "order", is_preferred=True)


def _has_gap(slots: Sequence[PlacedCell]) -> bool:
    """Whether a blank stands between two figures."""
    filled = [at for at, slot in enumerate(slots) if not slot.is_blank]
    return bool(filled) and filled[-1] - filled[0] + 1 > len(filled)


def _is_padded(line: Line, width: int) -> bool:
    """Whether only blanks (empty lines before a heading) follow the places of the row."""
    return len(line.slots) > width and all(slot.is_blank for slot in line.slots[width:])


def _blanks(slots: Sequence[PlacedCell], width: int) -> Alignment:
    return tuple(slots[-width:]) if len(slots) > width else tuple(slots) + (None,) * (width - len(slots))


def _by_place(line: Line, columns: Sequence[Column]) -> Alignment | None:
    """Cells under the header cells, where header and row agree on the columns."""
    starts = [column.cell.cell.column for column in columns if column.cell]
    if line.is_stream or not line.slots or len(starts) < len(columns):
        return None
    if any(right <= left for left, right in pairwise(starts)):
        return None
    if any(piece.right_edge > starts[0] for piece in line.pieces):
        return None
    found = {slot.cell.column: slot for slot in line.slots}
    if any(figure.cell.column not in starts for figure in line.figures):
        return None
    return tuple(found.get(start) for start in starts)


def _alignments(line: Line, width: int) -> tuple[Alignment, ...]:
    """Every way to put the cells of a row under the columns in order.

    Too few: some columns have no cell. Too many: some cells belong to no column; in a printed
    row (no stream) with fewer figures than columns those are blanks.
    """
    slots, figures = line.slots, line.figures
    if len(slots) <= width:
        return _spreads(slots, width)
    if len(figures) > width:
        slots = figures
    if comb(len(slots), width) > ROW_LIMIT:
        return ()
    kept = combinations(slots, width)
    if line.is_stream or len(figures) >= width:
        return _distinct(kept)
    return _distinct(way for way in kept if sum(not cell.is_blank for cell in way) == len(figures))


def _spreads(cells: Sequence[PlacedCell], width: int) -> tuple[Alignment, ...]:
    if comb(width, len(cells)) > ROW_LIMIT:
        return ()
    return _distinct(_spread(cells, chosen, width) for chosen in combinations(range(width), len(cells)))


def _distinct(ways: Iterable[Alignment]) -> tuple[Alignment, ...]:
    """Each set of prints once."""
    found: dict[tuple[object, ...], Alignment] = {}
    for way in ways:
        found.setdefault(tuple(_print_of(placed) for placed in way), way)
    return tuple(found.values())


def _spread(figures: Sequence[PlacedCell], chosen: Sequence[int], width: int) -> Alignment:
    places = dict(zip(chosen, figures, strict=True))
    return tuple(places.get(at) for at in range(width))


def _print_of(placed: PlacedCell | None) -> object:
    return None if placed is None else (placed.reading.status, placed.reading.value, placed.reading.raw)


def number_of(placed: PlacedCell | None) -> int | float | None:
    """The number of a cell; None for a cell that is not printed, blank or no number."""
    return placed.reading.value if placed else None


def agreed(alignments: Sequence[Alignment], at: int) -> PlacedCell | None:
    """The cell at column `at` if all alignments print the same there, else None."""
    if len(alignments) == 1:
        return alignments[0][at]
    cells = [alignment[at] for alignment in alignments]
    if not cells or len({_print_of(cell) for cell in cells}) != 1:
        return None
    return cells[0]
