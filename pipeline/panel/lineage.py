"""Which codes of GB/T 2260 are the same place over the years, and which places became others.

From one year's table to the next a place goes on

* where the list of changes says so (`division_tables.division_changes`), else
* under the same code, be it with another name, unless the list says that it ended, else
* under a new code, where just one code that ended and one new code of the same level and province
  have the same name without its kind (洪泽县 320829 → 洪泽区 320813, 庐江县 341421 → 340124), else
* where the name has a single character and one new name in its prefecture begins with it
  (陕县 411222 → 陕州区 411203).

What the list calls merged, split or carved links one place to others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from pipeline.metadata.division_tables import (
    FIRST_YEAR,
    LAST_YEAR,
    DivisionChange,
    division_changes,
    table_of,
)
from pipeline.metadata.divisions import level_of, stem

# 北京, 天津, 上海, 重庆: districts and counties directly under the province.
_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})


@dataclass(frozen=True, slots=True)
class Place:
    """A place with its code of every year in which it was a division of its own (at the year's end)."""

    unit_id: str
    codes: Mapping[int, str]

    def nearest_year(self, year: int) -> int:
        """`year` if the place was there, else the nearest year in which it was."""
        return min(self.codes, key=lambda each: abs(each - year))


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """How a place changed, or became another, between the ends of two years.

    `old` and `new` are `unit_id`s, equal where the place stays the same; `old` is None for a place
    that was established. `kind` and `date` as in `DivisionChange`; `is_listed` tells that the change
    is in the list, else a rule found it, and its date is the year.
    """

    year: int
    date: str
    kind: str
    old: str | None
    new: str
    old_code: str | None
    old_name: str | None
    new_code: str
    new_name: str
    is_listed: bool


@dataclass(frozen=True, slots=True)
class Lineage:
    """All places from `FIRST_YEAR` to `LAST_YEAR` with their changes."""

    places: Mapping[str, Place]
    by_code: Mapping[str, tuple[Place, ...]]
    changes: tuple[PlaceChange, ...]
    changes_of: Mapping[str, tuple[PlaceChange, ...]]

    def place_of(self, code: str, year: int) -> Place | None:
        """The place that has a code in a year, else had it last before, else has it next after."""
        had = [
            (each, place)
            for place in self.by_code.get(code, ())
            for each in place.codes
            if place.codes[each] == code
        ]
        before = [found for found in had if found[0] <= year]
        if before:
            return max(before, key=lambda found: found[0])[1]
        return min(had, key=lambda found: found[0])[1] if had else None


@dataclass(slots=True)
class _Life:
    """A place while its years are put together."""

    codes: dict[int, str] = field(default_factory=dict)


@cache
def lineage() -> Lineage:
    """The lineage of all places, made once."""
    lives, at = _lives()
    names = _unit_ids(lives)
    places = {names[id(life)]: Place(names[id(life)], life.codes) for life in lives}
    ids = {key: names[id(life)] for key, life in at.items()}
    changes = tuple(_changes(ids))
    return Lineage(places, _places_by_code(places.values()), changes, _changes_by_unit(changes))


def _lives() -> tuple[list[_Life], dict[tuple[int, str], _Life]]:
    """Every place, and which one a code is in a year."""
    lives: list[_Life] = []
    at: dict[tuple[int, str], _Life] = {}
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        before = {} if year == FIRST_YEAR else {new: old for old, new in same_places(year).items()}
        for code in table_of(year):
            life = at[year - 1, before[code]] if code in before else _Life()
            if not life.codes:
                lives.append(life)
            life.codes[year] = code
            at[year, code] = life
    return lives, at


@cache
def same_places(year: int) -> Mapping[str, str]:
    """Old code → new code of every place that goes on from the year before."""
    old_table, new_table = table_of(year - 1), table_of(year)
    listed = _listed(year)
    same = {change.old_code: change.new_code for change in listed if change.old_code and change.is_same_place}
    gone = {change.old_code for change in listed if change.ends_old} - same.keys()
    new_places = {change.new_code for change in listed if change.kind in ("carved", "established")}
    kept = (old_table.keys() & new_table.keys()) - same.keys() - gone - set(same.values())
    same.update((code, code) for code in sorted(kept))
    old = [code for code in old_table if code not in same and code not in gone]
    taken = new_places.union(same.values())
    new = [code for code in new_table if code not in taken]
    same.update(_with_same_stem(old_table, new_table, old, new))
    old = [code for code in old if code not in same]
    new = [code for code in new if code not in same.values()]
    same.update(_with_one_character(old_table, new_table, old, new))
    return same


def _listed(year: int) -> list[DivisionChange]:
    return [change for change in division_changes() if change.year == year]


def _with_same_stem(
    old_table: Mapping[str, str], new_table: Mapping[str, str], old: Sequence[str], new: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Codes of places with the same name without its kind, in the same province and of the same level."""

    def key(code: str, table: Mapping[str, str]) -> tuple[str, str, str]:
        return code[:2], level_of(code), stem(table[code])

    counts = Counter(key(code, old_table) for code in old)
    candidates: dict[tuple[str, str, str], list[str]] = {}
    for code in new:
        candidates.setdefault(key(code, new_table), []).append(code)
    for code in old:
        found = candidates.get(key(code, old_table), [])
        if len(found) == 1 and counts[key(code, old_table)] == 1:
            yield code, found[0]


def _with_one_character(
    old_table: Mapping[str, str], new_table: Mapping[str, str], old: Sequence[str], new: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Counties with a name of one character, and the one new place beside them that begins with it."""
    for code in old:
        name = old_table[code]
        above = code[:2] if code[:2] in _MUNICIPALITIES else code[:4]
        found = [each for each in new if each.startswith(above) and new_table[each][0] == name[0]]
        if len(name) == 2 and len(found) == 1:
            yield code, found[0]


def _unit_ids(lives: Iterable[_Life]) -> dict[int, str]:
    """The last code of a place; with its last year where another place had the code later."""
    latest: dict[str, int] = {}
    for life in lives:
        for year, code in life.codes.items():
            latest[code] = max(year, latest.get(code, year))
    named: dict[int, str] = {}
    for life in lives:
        year, code = max(life.codes.items())
        named[id(life)] = code if latest[code] == year else f"{code}_{year}"
    return named


def _places_by_code(places: Iterable[Place]) -> dict[str, tuple[Place, ...]]:
    found: dict[str, list[Place]] = {}
    for place in places:
        for code in dict.fromkeys(place.codes.values()):
            found.setdefault(code, []).append(place)
    return {code: tuple(each) for code, each in found.items()}


def _changes(ids: Mapping[tuple[int, str], str]) -> Iterator[PlaceChange]:
    """The changes of every year, those of the list before those that rules found."""
    for year in range(FIRST_YEAR + 1, LAST_YEAR + 1):
        listed = _listed(year)
        for change in listed:
            old = ids[year - 1, change.old_code] if change.old_code is not None else None
            yield PlaceChange(
                year, change.date, change.kind, old, ids[year, change.new_code],
                change.old_code, change.old_name, change.new_code, change.new_name, is_listed=True,
            )  # fmt: skip
        told = {(change.old_code, change.new_code) for change in listed if change.is_same_place}
        for old_code, new_code in same_places(year).items():
            old_name, new_name = table_of(year - 1)[old_code], table_of(year)[new_code]
            if (old_code, old_name) != (new_code, new_name) and (old_code, new_code) not in told:
                yield PlaceChange(
                    year, str(year), _kind(old_code, old_name, new_code, new_name),
                    ids[year - 1, old_code], ids[year, new_code],
                    old_code, old_name, new_code, new_name, is_listed=False,
                )  # fmt: skip


def _kind(old_code: str, old_name: str, new_code: str, new_name: str) -> str:
    if old_code == new_code:
        return "renamed"
    return "recoded" if old_name == new_name else "upgraded"


def _changes_by_unit(changes: Iterable[PlaceChange]) -> dict[str, tuple[PlaceChange, ...]]:
    found: dict[str, list[PlaceChange]] = {}
    for change in changes:
        for unit_id in dict.fromkeys((change.old, change.new)):
            if unit_id is not None:
                found.setdefault(unit_id, []).append(change)
    return {unit_id: tuple(each) for unit_id, each in found.items()}
