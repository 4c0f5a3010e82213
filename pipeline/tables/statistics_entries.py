"""Printed statistics tables as entries: a label in pieces, its unit, the figures behind it.

The same walk serves rows of a grid, tab-separated lines, text with one cell a line and two
halves side by side: an entry begins at a text behind a unit or a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from pipeline.document import Table
from pipeline.tables.cells import money_unit
from pipeline.tables.rows import Line, PlacedCell, is_footer, is_stream
from pipeline.tables.statistics_columns import Caption, Columns, plain
from pipeline.tables.statistics_header import columns_of, is_header_row, split_header, stream_header
from pipeline.tables.statistics_labels import match_row

_UNITS = frozenset(
    "条 条次 件 件次 次 场 场次 期 份 篇 篇次 个 处 家 项 起 例 宗 人 名 人次 元 万元 亿元 部 册 页".split()
)
_INDEX_SHARE = 0.8  # of the numbers at the ends of entries that count up by one: a running number


@dataclass(frozen=True)
class Entry:
    """A label and what stands behind it, blanks included. `half` counts from the left."""

    pieces: tuple[PlacedCell, ...]
    unit: PlacedCell | None
    slots: tuple[PlacedCell, ...]
    half: int = 0
    is_stream: bool = False

    @property
    def figures(self) -> tuple[PlacedCell, ...]:
        """What is printed behind the label; the stroke of a section's unit is none."""
        filled = tuple(slot for slot in self.slots if not slot.is_blank)
        if self.unit is None and len(filled) > 1 and filled[0].reading.status == "not_applicable":
            return filled[1:]
        return filled

    @property
    def line(self) -> Line:
        """The entry as a line of a table, without its unit."""
        return Line(self.pieces, self.slots, self.is_stream)

    @property
    def label(self) -> str:
        """The label as printed."""
        return "".join(piece.cell.text for piece in self.pieces)

    @property
    def money_unit(self) -> str | None:
        """元 or 万元 where the unit or the label names it."""
        return (money_unit(self.unit.cell.text) if self.unit else None) or money_unit(self.label)


@dataclass(frozen=True)
class Entries:
    """A printed table: its entries, left half first, the columns of each half, figures without a label."""

    table: Table
    entries: tuple[Entry, ...]
    columns: tuple[Columns, ...]
    lone: tuple[PlacedCell, ...] = ()
    is_stream: bool = False

    @property
    def captions(self) -> tuple[tuple[Caption, ...], ...]:
        """What stands above the columns of figures, for each half."""
        return tuple(half.values for half in self.columns)


@dataclass
class _Walk:
    """What has been read of an entry so far."""

    found: list[Entry] = field(default_factory=list)
    lone: list[PlacedCell] = field(default_factory=list)
    pieces: list[PlacedCell] = field(default_factory=list)
    unit: PlacedCell | None = None
    slots: list[PlacedCell] = field(default_factory=list)

    def close(self) -> None:
        if self.pieces:
            self.found.append(Entry(tuple(self.pieces), self.unit, tuple(self.slots)))
        self.pieces, self.unit, self.slots = [], None, []


def is_unit(text: str) -> bool:
    """条, 件, (万元) …"""
    return plain(text).strip("()") in _UNITS


def read_entries(table: Table, before: Entries | None = None) -> Entries:
    """The entries of a table. `before` is the piece of the same table on the page before."""
    rows = [[PlacedCell(table.index, cell) for cell in row if not is_footer(cell.text)] for row in table.rows]
    if is_stream(table):
        return _stream(table, [placed for row in rows for placed in row])
    return _rows(table, rows, before)


# Rows of a grid, and tab-separated lines


def _rows(table: Table, rows: Sequence[Sequence[PlacedCell]], before: Entries | None) -> Entries:
    header, body = split_header(rows)
    named = columns_of(header)
    columns = named or (before.columns if before else ())
    # Columns of the page before hold for places only where the table is as wide.
    placed_columns = columns if named or (before and _width(before.table) == _width(table)) else ()
    halves: dict[int, list[Entry]] = {}
    lone: list[PlacedCell] = []
    for row in body:
        if is_header_row(row):
            continue
        for half, cells in enumerate(_halves(row, placed_columns)):
            walk = _walk(cells, _value_places(placed_columns, half))
            lone += [] if any(_is_text(placed) for placed in row) else walk.lone
            for order, entry in enumerate(walk.found):
                halves.setdefault(half + order, []).append(entry)
    entries = (replace(entry, half=half) for half in sorted(halves) for entry in halves[half])
    return Entries(table, tuple(entries), columns, tuple(lone))


def _is_text(placed: PlacedCell) -> bool:
    return not placed.is_blank and not placed.is_figure


def _width(table: Table) -> int:
    return max((cell.column + cell.column_span for cell in table.cells), default=0)


def _halves(row: Sequence[PlacedCell], columns: Sequence[Columns]) -> list[list[PlacedCell]]:
    """The cells of a row by half, without those of columns that hold no figures of the form."""
    halves: list[list[PlacedCell]] = [[] for _ in columns or (None,)]
    for placed in row:
        at = max((at for at, half in enumerate(columns) if half.start <= placed.cell.column), default=0)
        halves[at].append(placed)
    return [
        [placed for placed in cells if not _is_aside(placed, half, cells)]
        for cells, half in zip(halves, columns or (None,), strict=True)
    ]


def _is_aside(placed: PlacedCell, half: Columns | None, cells: Sequence[PlacedCell]) -> bool:
    """A running number, code or remark; not in a row whose cells stand elsewhere than the header's."""
    if half is None or placed.cell.column not in half.aside or is_unit(placed.cell.text):
        return False
    is_in_place = any(other.cell.column == half.label and not other.is_blank for other in cells)
    return is_in_place and match_row(placed.cell.text) is None


def _value_places(columns: Sequence[Columns], half: int) -> frozenset[int]:
    return frozenset(caption.column for caption in columns[half].values) if columns else frozenset()


def _walk(cells: Sequence[PlacedCell], value_places: frozenset[int]) -> _Walk:
    walk = _Walk()
    last = next((placed for placed in reversed(cells) if not placed.is_blank), None)
    for placed in cells:
        if placed.is_blank:
            if walk.pieces:
                walk.slots.append(placed)
        elif placed.is_figure:
            (walk.slots if walk.pieces else walk.lone).append(placed)
        elif is_unit(placed.cell.text) and walk.pieces:
            walk.unit = walk.unit or placed
        elif _is_odd_value(placed, walk, value_places, is_last=placed is last):
            walk.slots.append(placed)
        else:
            if walk.unit or any(not slot.is_blank for slot in walk.slots) or _is_next_label(placed, walk):
                walk.close()
            walk.pieces.append(placed)
    walk.close()
    return walk


def _is_odd_value(placed: PlacedCell, walk: _Walk, value_places: frozenset[int], *, is_last: bool) -> bool:
    """A text where a figure should stand (详见附件): in a column of figures, or behind a unit at the end."""
    if not walk.pieces or match_row(placed.cell.text) is not None:
        return False
    if value_places:
        return placed.cell.column in value_places
    has_figure = any(not slot.is_blank for slot in walk.slots)
    return walk.unit is not None and not has_figure and is_last


def _is_next_label(placed: PlacedCell, walk: _Walk) -> bool:
    return bool(walk.slots) and match_row(placed.cell.text) is not None


# One cell a line


def _stream(table: Table, cells: Sequence[PlacedCell]) -> Entries:
    columns, body = stream_header(cells)
    entries = _walk(body, frozenset()).found
    half = columns[0] if columns else None
    if half and half.has_code:
        entries = [replace(entry, slots=_behind_code(entry)) for entry in entries]
    elif (half and half.has_index) or _counts_up(entries):
        entries = _without_index(entries)
    return Entries(table, tuple(_dealt(entries, max(1, len(columns)))), columns, is_stream=True)


def _behind_code(entry: Entry) -> tuple[PlacedCell, ...]:
    """What stands behind the row's code, which is printed between label and figures."""
    at = next((at for at, slot in enumerate(entry.slots) if slot.is_figure), None)
    return entry.slots if at is None else entry.slots[at + 1 :]


def _dealt(entries: Sequence[Entry], halves: int) -> Iterator[Entry]:
    """Entries of two halves were printed in turns: the left ones first."""
    for half in range(halves):
        for entry in entries[half::halves]:
            yield replace(entry, half=half, is_stream=True)


def _counts_up(entries: Iterable[Entry]) -> bool:
    """Whether the last figures of the entries are the running numbers of the next ones."""
    last = [entry.figures[-1].reading.value for entry in entries if len(entry.figures) > 1]
    numbers = [number for number in last if number is not None]
    if len(numbers) < 3:
        return False
    steps = sum(after - number == 1 for number, after in pairwise(numbers))
    return steps >= _INDEX_SHARE * (len(numbers) - 1)


def _without_index(entries: Sequence[Entry]) -> list[Entry]:
    """The running number of the next entry taken off the end of each but the last."""
    shorter = []
    for entry in entries[:-1]:
        at = max((at for at, slot in enumerate(entry.slots) if slot.is_figure), default=None)
        slots = entry.slots if at is None else entry.slots[:at]
        shorter.append(replace(entry, slots=slots))
    return [*shorter, *entries[-1:]]
