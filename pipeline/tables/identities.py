"""Which alignments of open rows break the fewest identities between the cells of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, outcome_rows
from pipeline.tables.align import Alignment, Placement, number_of
from pipeline.tables.templates import TableKind, TableTemplate

JOINT_LIMIT = 4_096  # combinations over all open rows; beyond it each row is judged alone
REMEDY_LINE = ""  # the row key of a remedies table that prints its 15 cells in one line

CellKey = tuple[str, str]
Numbers = Mapping[CellKey, int | float | None]
Keys = Mapping[str, Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Sum of `left` = sum of `right`; cells by (row, column)."""

    left: tuple[CellKey, ...]
    right: tuple[CellKey, ...]

    @property
    def rows(self) -> set[str]:
        """The rows in which its cells stand."""
        return {row for row, _ in self.left + self.right}


@dataclass(frozen=True, slots=True)
class Tally:
    """Left minus right of an identity so far, and which side has an unknown cell (≥ 0)."""

    difference: int | float = 0
    is_left_open: bool = False
    is_right_open: bool = False

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.difference + other.difference,
            self.is_left_open or other.is_left_open,
            self.is_right_open or other.is_right_open,
        )

    @property
    def is_broken(self) -> bool:
        """Whether no numbers in the unknown cells could make the two sides equal."""
        if self.is_left_open and self.is_right_open:
            return False
        if self.is_left_open:
            return self.difference > 0
        if self.is_right_open:
            return self.difference < 0
        return self.difference != 0


def identities_of(kind: TableKind, template: TableTemplate, rows: Keys) -> list[Identity]:
    """The identities between cells of one table: what the place of a figure is judged by."""
    if kind == "proactive":
        return []
    if kind == "remedies":
        return [_block_identity(block, REMEDY_LINE in rows) for block in REMEDY_BLOCKS]
    identities = [row_total(row) for row in rows]
    for column in APPLICANTS:
        outcomes = tuple((row, column) for row in outcome_rows(template))
        concluded, carried_out = ("concluded", column), ("carried_out", column)
        incoming = (("new_received", column), ("carried_in", column))
        identities.append(Identity(outcomes, (concluded,)))
        identities.append(Identity(incoming, (concluded, carried_out)))
        # The two together: it still holds a short row to account where `concluded` is unknown.
        identities.append(Identity(incoming, (*outcomes, carried_out)))
    return identities


def row_total(row: str) -> Identity:
    """Six applicants = total."""
    return Identity(tuple((row, applicant) for applicant in APPLICANTS[:-1]), ((row, APPLICANTS[-1]),))


def _block_identity(block: str, is_one_line: bool) -> Identity:
    cells = [(REMEDY_LINE, f"{block}.{key}") if is_one_line else (block, key) for key in OUTCOMES]
    return Identity(tuple(cells[:-1]), (cells[-1],))


def tally(identity: Identity, numbers: Numbers, rows: set[str] | None = None) -> Tally:
    """What the cells of `rows` (None: all) add to an identity; a cell without a number is unknown."""
    left = [numbers.get(cell) for cell in identity.left if rows is None or cell[0] in rows]
    right = [numbers.get(cell) for cell in identity.right if rows is None or cell[0] in rows]
    known_left = sum(value for value in left if value is not None)
    known_right = sum(value for value in right if value is not None)
    return Tally(known_left - known_right, None in left, None in right)


def numbers_of(
    row: str, keys: Sequence[str | None], alignment: Alignment
) -> dict[CellKey, int | float | None]:
    """The numbers of a row under its columns."""
    return {(row, key): number_of(cell) for key, cell in zip(keys, alignment, strict=True) if key}


def settle(
    rows: Mapping[str, Placement], keys: Keys, identities: Sequence[Identity]
) -> dict[str, tuple[Alignment, ...]]:
    """For each open row the alignments that break the fewest identities, all rows together.

    `keys` gives the column keys of each row. Rows are first judged by the identities that
    lie within them; what is left is combined up to JOINT_LIMIT, else row by row with the
    other open rows unknown.
    """
    fixed: dict[CellKey, int | float | None] = {}
    choices: dict[str, tuple[Alignment, ...]] = {}
    for row, placement in rows.items():
        if placement.is_open:
            choices[row] = _narrow(row, placement.alignments, keys[row], identities)
        else:
            fixed |= numbers_of(row, keys[row], placement.alignments[0])
    choices = {row: ways for row, ways in choices.items() if ways}
    if prod(len(ways) for ways in choices.values()) <= JOINT_LIMIT:
        return _settle_jointly(choices, keys, identities, fixed)
    settled: dict[str, tuple[Alignment, ...]] = {}
    for row, ways in choices.items():
        settled |= _settle_jointly({row: ways}, keys, identities, fixed)
    return settled


def _narrow(
    row: str, ways: Sequence[Alignment], keys: Sequence[str | None], identities: Sequence[Identity]
) -> tuple[Alignment, ...]:
    own = [identity for identity in identities if identity.rows == {row}]
    numbers = [numbers_of(row, keys, way) for way in ways]
    broken = [sum(tally(identity, values).is_broken for identity in own) for values in numbers]
    least = min(broken, default=0)
    return tuple(way for way, count in zip(ways, broken, strict=True) if count == least)


def _settle_jointly(
    choices: Mapping[str, tuple[Alignment, ...]], keys: Keys, identities: Sequence[Identity], fixed: Numbers
) -> dict[str, tuple[Alignment, ...]]:
    touched = [identity for identity in identities if identity.rows & choices.keys()]
    fixed_tallies = [tally(identity, fixed, identity.rows - choices.keys()) for identity in touched]
    options = [
        [(way, [tally(each, numbers_of(row, keys[row], way), {row}) for each in touched]) for way in ways]
        for row, ways in choices.items()
    ]
    least = len(touched) + 1
    kept: list[list[Alignment]] = []
    for combination in product(*options):
        parts = zip(fixed_tallies, *(tallies for _, tallies in combination), strict=True)
        broken = sum(sum(part, Tally()).is_broken for part in parts)
        if broken < least:
            least, kept = broken, []
        if broken == least:
            kept.append([way for way, _ in combination])
    return {row: tuple(dict.fromkeys(ways[at] for ways in kept)) for at, row in enumerate(choices)}
