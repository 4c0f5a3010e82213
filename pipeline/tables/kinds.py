"""Which lines of which printed tables belong to which of the three tables of the form.

One table may be printed in several pieces (page breaks, one piece per 第二十条 item), and
several may run into one: so it is lines that are told apart, by the labels in them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.document import Document, Table
from pipeline.tables.rows import Line, printed_lines
from pipeline.tables.templates import KINDS, TableKind, is_proactive_header, kinds_of_label

FEWEST_LABELS = 2  # labels of a kind from which on a printed table holds that kind
FEWEST_TO_CONTINUE = 1  # the same where the table before holds that kind too
FEWEST_WITHOUT_HEADER = 5  # items that make a proactive table where no column or caption is printed


@dataclass(frozen=True)
class KindLines:
    """The lines of one of the three tables in reading order."""

    kind: TableKind
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Classified:
    """Lines by kind, and printed tables that are none of the three."""

    parts: tuple[KindLines, ...]
    unknown: tuple[Table, ...]


def classify(document: Document, read_already: Collection[int] = ()) -> Classified:
    """Tell the tables of a document apart by their labels, each kind in the first file that has it.

    Tables in `read_already` are left out.
    """
    lines: dict[TableKind, list[Line]] = {kind: [] for kind in KINDS}
    unknown: list[Table] = []
    before: TableKind | None = None
    part = 0
    earlier: set[TableKind] = set()
    for table in document.tables:
        if table.index in read_already:
            before = None
            continue
        if document.part_of(table.span) != part:
            # What the report prints itself, its attachments only repeat.
            part = document.part_of(table.span)
            earlier, before = {kind for kind in KINDS if lines[kind]}, None
        printed = printed_lines(table)
        kinds = _kinds_of_table(printed, before)
        if not kinds:
            unknown.append(table)
            before = None
            continue
        kinds -= earlier
        if not kinds:
            continue
        for line, kind in zip(printed, _kinds_of_lines(printed, kinds), strict=True):
            lines[kind].append(line)
            before = kind
    parts = (KindLines(kind, tuple(lines[kind])) for kind in KINDS if lines[kind])
    return Classified(tuple(parts), tuple(unknown))


def _kinds_of_table(lines: Sequence[Line], before: TableKind | None) -> set[TableKind]:
    counts: dict[TableKind, int] = dict.fromkeys(KINDS, 0)
    for line in lines:
        for kind in _labels_of(line):
            counts[kind] += 1
    fewest = dict.fromkeys(KINDS, FEWEST_LABELS)
    if before:
        fewest[before] = FEWEST_TO_CONTINUE
    elif not any(is_proactive_header(piece.cell.text) for line in lines for piece in line.pieces):
        fewest["proactive"] = FEWEST_WITHOUT_HEADER  # 行政许可, 行政处罚 stand in many a table
    return {kind for kind, count in counts.items() if count >= fewest[kind]}


def _labels_of(line: Line) -> list[TableKind]:
    """The kind of each piece that stands in one table only."""
    found = (kinds_of_label(piece.cell.text) for piece in line.pieces)
    return [next(iter(kinds)) for kinds in found if len(kinds) == 1]


def _kinds_of_lines(lines: Sequence[Line], kinds: set[TableKind]) -> list[TableKind]:
    """A line without a telling label goes with the line before it, the first with the next."""
    own = [next((kind for kind in _labels_of(line) if kind in kinds), None) for line in lines]
    current = next(kind for kind in own if kind is not None)
    result = []
    for kind in own:
        current = kind or current
        result.append(current)
    return result


def holds_figures(table: Table) -> bool:
    """Whether a table that was left alone prints a figure."""
    return any(line.figures for line in printed_lines(table))
