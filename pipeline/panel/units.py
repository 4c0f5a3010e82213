"""Places as of a year: code, names, superiors, and an identifier that outlives renaming and recoding.

    unit_of(code, year)     unit_by_id(unit_id, year)     units_in(year)
    parent_of(code, year)   changes_of(unit_id)     GB_2260: these as one table of places

`unit_id` is the last code that a place had up to the end of 2025 (洪泽县 320829 and 洪泽区 320813
are both 320813). Where the code went to another place afterwards the last year is part of it:
万盛区, 500110 until 2010, is `500110_2010`, as 綦江区 has that code since 2011. A place that was
merged into another, or split, keeps an identifier of its own and names its `successors`; where a
place took in another and kept code and name (东城区 with 崇文区 in 2010) it goes on as the same place,
and `changes_of` tells that it is larger since.

Sources, dates and licences of the tables: `pipeline.metadata.division_tables`. How places are linked:
`pipeline.panel.lineage`.

Townships, departments and institutions have the code of the county or city that they belong to
(`meta.division_code`), so that their unit is that of the county. Zones have no code of GB/T 2260:
their unit is that of the place whose code was resolved for them, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from pipeline.metadata.division_tables import covered_year, table_of
from pipeline.metadata.divisions import level_of
from pipeline.panel.lineage import Place, PlaceChange, lineage
from pipeline.panel.model import Unit

Level = Literal["province", "prefecture", "county"]
_BECAME_OTHERS = frozenset({"merged", "split", "carved"})


def unit_of(code: str, year: int | None) -> Unit | None:
    """The place of a six-digit code as of the end of a year; None for a code that was never in the tables.

    A code that the place had earlier or later finds it too, and the unit has the code and name of
    the year asked for; where the place was no division then, those of the nearest year in which it
    was. Without a year, or with one outside 2007–2025, the nearest year's table holds (the last for None).
    """
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return None
    covered = covered_year(year)
    place = lineage().place_of(code, covered)
    return None if place is None else _unit(place, place.nearest_year(covered))


def unit_by_id(unit_id: str, year: int | None) -> Unit | None:
    """The place of an identifier as of a year, or as of the nearest year in which it was; None if unknown."""
    place = lineage().places.get(unit_id)
    return None if place is None else _unit(place, place.nearest_year(covered_year(year)))


def units_in(year: int | None, level: Level = "county") -> Iterator[Unit]:
    """Every place of a level as of the end of a year, by code."""
    covered = covered_year(year)
    for code in table_of(covered):
        place = lineage().place_of(code, covered) if level_of(code) == level else None
        if place is not None:
            yield _unit(place, covered)


def parent_of(code: str, year: int | None) -> Unit | None:
    """The prefecture of a county, else its province; None for a province and for an unknown code.

    Districts of 北京, 天津, 上海 and 重庆 and counties directly under a province (济源 419001,
    石河子 659001) have the province.
    """
    unit = unit_of(code, year)
    if unit is None or unit.level == "province":
        return None
    above = unit.prefecture_code if unit.level == "county" else None
    above = above or unit.province_code
    return unit_of(above, year) if above is not None else None


def changes_of(unit_id: str) -> tuple[PlaceChange, ...]:
    """What happened to a place, by year: its own changes, places that it took in or became."""
    return lineage().changes_of.get(unit_id, ())


def _unit(place: Place, year: int) -> Unit:
    code = place.codes[year]
    table = table_of(year)
    level = level_of(code)
    province, prefecture = f"{code[:2]}0000", f"{code[:4]}00"
    has_prefecture = level != "province" and prefecture in table
    return Unit(
        unit_id=place.unit_id,
        code=code,
        name=table[code],
        level=cast(Level, level),
        province=table.get(province),
        province_code=province if province in table else None,
        prefecture=table[prefecture] if has_prefecture else None,
        prefecture_code=prefecture if has_prefecture else None,
        county=table[code] if level == "county" else None,
        county_code=code if level == "county" else None,
        successors=_successors(place.unit_id, year),
    )


def _successors(unit_id: str, year: int) -> tuple[str, ...]:
    """The other places that a place, or parts of it, became after a year."""
    later = (change for change in changes_of(unit_id) if change.year > year and change.kind in _BECAME_OTHERS)
    return tuple(dict.fromkeys(change.new for change in later if change.old == unit_id))


@dataclass(frozen=True, slots=True)
class Places:
    """A table of places over the years, by its functions: what those of this module are for GB/T 2260."""

    unit_of: Callable[[str, int | None], Unit | None]
    units_in: Callable[[int | None, Level], Iterator[Unit]]
    parent_of: Callable[[str, int | None], Unit | None]
    changes_of: Callable[[str], tuple[PlaceChange, ...]]


GB_2260 = Places(unit_of, units_in, parent_of, changes_of)
